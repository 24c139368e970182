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
