// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include "homolog/backbones/position_embedding.hpp"

using namespace homolog;

TEST_CASE("each rule gives the published values on a ramp") {
  const auto ramp =
      (torch::arange(1369, torch::kFloat64) / 1369).to(torch::kFloat32).reshape({1, 1369, 1});
  const auto corners = [&](int rows, int cols, PositionInterpolation rule) {
    const auto resized = interpolate_positions(ramp, rows, cols, rule).flatten();
    return std::pair{resized[0].item<double>(), resized[-1].item<double>()};
  };
  struct Row {
    int rows, cols;
    PositionInterpolation rule;
    double first, last;
  };
  for (const Row& row : {Row{16, 16, PositionInterpolation::hub, 0.0154099, 0.9762622},
                         Row{16, 16, PositionInterpolation::huggingface, 0.0156231, 0.9836465},
                         Row{16, 16, PositionInterpolation::hub_registers, 0.0196641, 0.9796055},
                         Row{32, 48, PositionInterpolation::hub, 0.0015006, 0.9953583},
                         Row{32, 48, PositionInterpolation::huggingface, 0.0015376, 0.9977319},
                         Row{32, 48, PositionInterpolation::hub_registers, 0.0022633, 0.9970061}}) {
    const auto [first, last] = corners(row.rows, row.cols, row.rule);
    CHECK(first == doctest::Approx(row.first).epsilon(2e-5));
    CHECK(last == doctest::Approx(row.last).epsilon(2e-6));
  }
}

TEST_CASE("each rule's cubic has its own constant: known values along one axis") {
  // Six squares along x, the same in every row, so that resizing acts on one axis.
  const auto squares = torch::arange(6, torch::kFloat32).square();
  const auto table = squares.expand({6, 6}).reshape({1, 36, 1});
  const auto row = [&](int cols, PositionInterpolation rule) {
    return interpolate_positions(table, 6, cols, rule).reshape({6, cols})[2];
  };
  // Tables are resized in float32. LibTorch 2.13 is 2.7e-6 from its float64 here, 2.6 is 1.2e-5;
  // another constant or scale moves the first value of a row by 6e-3, the last by 0.08 and more.
  const auto is = [](const torch::Tensor& got, const std::vector<double>& expected) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(std::abs(got[static_cast<std::int64_t>(i)].item<double>() - expected[i]) < 2e-5);
    }
  };
  is(row(4, PositionInterpolation::huggingface), {.12109375, 2.828125, 10.796875, 23.20703125});
  is(row(4, PositionInterpolation::hub_registers), {.158574, 2.977029, 10.886676, 22.278320});
  is(row(9, PositionInterpolation::hub_registers), {-.065789, .294118, 1.361111, 3.361111});
  const auto hub = interpolate_positions(table, 6, 4, PositionInterpolation::hub);
  is(hub.reshape({6, 4})[2], {.115017, 2.643422, 10.228516, 22.193268});
}

TEST_CASE("the size the table was made for is left untouched by every rule") {
  const auto table = torch::rand({1, 1369, 4});
  for (const auto rule : {PositionInterpolation::hub, PositionInterpolation::hub_registers,
                          PositionInterpolation::huggingface}) {
    CHECK(at::equal(interpolate_positions(table, 37, 37, rule), table));
  }
}

TEST_CASE("a table that is no square is refused") {
  CHECK_THROWS_AS(interpolate_positions(torch::zeros({1, 12, 4}), 3, 4, PositionInterpolation::hub),
                  WeightsError);
}
