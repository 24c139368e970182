// SPDX-License-Identifier: Apache-2.0
// The CUDA decoders against the CPU's on the same similarities; nvcc compiles them everywhere.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "decode_on_device.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/kernels/cuda/decode.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "support/skip.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

bool has_device() {
  const std::string reason = no_device();
  if (!reason.empty()) skip("no CUDA device here: " + reason);
  return reason.empty();
}

}  // namespace

TEST_CASE("device and CPU decode the same similarities to the same answers") {
  if (!has_device()) return;
  std::mt19937 random(6);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::uniform_int_distribution<int> kind(0, 40), level(-3, 3), side(1, 40);
  for (int repeat = 0; repeat < 40; ++repeat) {
    const int rows = side(random), cols = side(random), count = 1 + repeat % 9;
    const bool cropped = rows > 4 && cols > 4 && repeat % 2 == 0;
    const int content[] = {cropped ? 1 : 0, cropped ? 2 : 0, cols - (cropped ? 1 : 0), rows};
    FloatMatrix all(count, rows * cols);
    for (float& value : all) {
      const int drawn = kind(random);
      value = drawn == 0        ? std::numeric_limits<float>::quiet_NaN()
              : drawn == 1      ? std::numeric_limits<float>::infinity()
              : repeat % 4 == 0 ? 0.25F * static_cast<float>(level(random))  // ties
                                : uniform(random);
    }
    for (int q = 0; q < count; ++q) all(q, content[1] * cols + content[0]) = 0.125F;
    const std::vector<float> similarity(all.data(), all.data() + all.size());
    for (Eigen::Index q = 0; q < count && cropped; ++q) {  // what the CPU's matchers are given
      for (int row = 0; row < rows; ++row) {
        for (int col = 0; col < cols; ++col) {
          const bool inside =
              row >= content[1] && row < content[3] && col >= content[0] && col < content[2];
          if (!inside) all(q, row * cols + col) = -std::numeric_limits<float>::infinity();
        }
      }
    }
    const auto compare = [&](int decoder, float temperature, const auto& matcher,
                             double tolerance) {
      const auto found =
          decode_on_device(similarity, rows, cols, content, decoder, temperature, 2, 7, 3);
      REQUIRE(found.answers.size() == 4 * static_cast<std::size_t>(count));
      for (Eigen::Index q = 0; q < count; ++q) {
        const SimilarityMap map(all.row(q).data(), rows, cols);
        const Match expected = matcher(map);
        const auto* const answer = found.answers.data() + 4 * q;
        CHECK(std::abs(static_cast<double>(answer[0]) - expected.cell.x) <= tolerance);
        CHECK(std::abs(static_cast<double>(answer[1]) - expected.cell.y) <= tolerance);
        CHECK(answer[2] == expected.score);
        CHECK(answer[3] == find_top_two(map).second.value);
      }
      for (Eigen::Index c = 0; c < all.cols(); ++c) {
        int best = -1;
        for (int q = 0; q < count; ++q) {
          if (std::isfinite(all(q, c)) && (best < 0 || all(q, c) > all(best, c))) best = q;
        }
        CHECK(found.column_query[static_cast<std::size_t>(c)] == best);
        if (best >= 0) CHECK(found.column_value[static_cast<std::size_t>(c)] == all(best, c));
      }
    };
    compare(0, 1, Argmax{}, 0);
    compare(1, 10, WindowSoftArgmax{{2, 10}}, 1e-4);
    compare(2, 20, SoftArgmax{{20}}, 1e-3);
    compare(3, 20, KernelSoftArgmax{{7, 20}}, 1e-3);
  }
}

TEST_CASE("device: a row without a finite similarity says so, wrong settings are refused") {
  const std::vector<float> none(6, std::numeric_limits<float>::quiet_NaN());
  if (!has_device()) return;
  const auto found = decode_on_device(none, 2, 3, {0, 0, 3, 2}, 1, 10, 2, 7, 1);
  CHECK(std::isnan(found.answers[0]));
  CHECK(found.answers[2] == -std::numeric_limits<float>::infinity());
  CHECK(found.column_query[0] == -1);
  CHECK_THROWS_AS(decode_on_device(none, 2, 3, {0, 0, 4, 2}, 0, 1, 0, 7, 1), ShapeError);
  CHECK_THROWS_AS(decode_on_device(none, 2, 3, {0, 0, 3, 2}, 2, -1, 0, 7, 1), SettingError);
  CHECK_THROWS_AS(decode_on_device(none, 2, 3, {0, 0, 3, 2}, 1, 1, -1, 7, 1), SettingError);
  CHECK_THROWS_AS(decode_on_device(none, 2, 3, {0, 0, 3, 2}, 3, 1, 2, 0, 1), SettingError);
}

TEST_CASE("launchers say what a grid, a setting or a machine lacks") {
  const cuda::Grid grid{4, 5, 0, 0, 5, 4};
  CHECK_THROWS_AS(cuda::decode(nullptr, 1, {4, 5, 0, 0, 6, 4}, {}, nullptr, nullptr), ShapeError);
  CHECK_THROWS_AS(
      cuda::decode(nullptr, 1, grid, {cuda::Decoder::soft_argmax, -1}, nullptr, nullptr),
      SettingError);
  CHECK_THROWS_AS(cuda::take_column_maxima(nullptr, -1, 0, grid, nullptr, nullptr), ShapeError);
  CHECK_NOTHROW(cuda::decode(nullptr, 0, grid, {}, nullptr, nullptr));
  if (*no_device() == '\0') return;
  CHECK_THROWS_WITH_AS(cuda::decode(nullptr, 1, grid, {}, nullptr, nullptr),
                       doctest::Contains("cuda::decode: "), DeviceError);
  CHECK_THROWS_WITH_AS(cuda::take_column_maxima(nullptr, 1, 0, grid, nullptr, nullptr),
                       doctest::Contains("cuda::take_column_maxima: "), DeviceError);
}
