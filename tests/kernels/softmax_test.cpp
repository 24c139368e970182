// SPDX-License-Identifier: Apache-2.0
#include "homolog/kernels/softmax.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "homolog/kernels/peak.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/matchers/soft_argmax.hpp"

using namespace homolog;

namespace {

FloatMatrix random_map(int rows, int cols, unsigned seed) {
  std::mt19937 random(seed);
  FloatMatrix map(rows, cols);
  for (float& value : map) {
    value = std::uniform_real_distribution<float>(-1, 1)(random);
    if (random() % 9 == 0) value = -std::numeric_limits<float>::infinity();
    if (random() % 50 == 0) value = std::numeric_limits<float>::quiet_NaN();
  }
  map(rows / 2, cols / 2) = 0.25F;
  return map;
}

/// A soft matcher of a user's own, of public parts alone.
struct MySoftArgmax {
  Match operator()(const SimilarityMap& map, const Execution& execution) const {
    const Peak peak = find_peak(map, execution);
    return {softmax_sums(map, peak.value, 50, execution).mean(), peak.value};
  }
};

}  // namespace

TEST_CASE("sums over a map are those of its cells in float64") {
  for (const auto& [rows, cols] : {std::pair{1, 1}, {1, 40}, {40, 1}, {7, 9}, {37, 37}}) {
    const FloatMatrix map = random_map(rows, cols, static_cast<unsigned>(rows * 100 + cols));
    const float maximum = largest_finite(map);
    for (const float temperature : {0.5F, 10.0F, 100.0F}) {
      double total = 0, x = 0, y = 0;
      for (int row = 0; row < rows; ++row) {
        for (int col = 0; col < cols; ++col) {
          if (!std::isfinite(map(row, col))) continue;
          const double weight =
              std::exp(static_cast<double>(temperature) *
                       (static_cast<double>(map(row, col)) - static_cast<double>(maximum)));
          total += weight;
          x += weight * col;
          y += weight * row;
        }
      }
      for (const InstructionSet set : all_instruction_sets) {
        if (!is_supported(set)) continue;
        const SoftmaxSums sums = softmax_sums(map, maximum, temperature, {1, set});
        CHECK(sums.total == doctest::Approx(total).epsilon(2e-6));
        CHECK(sums.mean().x == doctest::Approx(x / total).epsilon(2e-6));
        CHECK(sums.mean().y == doctest::Approx(y / total).epsilon(2e-6));
      }
      const SoftmaxSums whole =
          softmax_sums(map, CellRange{0, 0, cols, rows}, maximum, temperature);
      CHECK(whole.total == doctest::Approx(total).epsilon(2e-6));
    }
  }
}

TEST_CASE("a window's sums are those of its cells, at their places in the map") {
  const FloatMatrix map = random_map(12, 15, 4);
  const CellRange window{3, 2, 8, 11};
  SoftmaxSums expected;
  for (int row = window.y1; row < window.y2; ++row) {
    for (int col = window.x1; col < window.x2; ++col) {
      expected.add(row, col, softmax_weight(map(row, col), 1, 7));
    }
  }
  const SoftmaxSums sums = softmax_sums(map, window, 1, 7);
  CHECK(sums.total == expected.total);
  CHECK(sums.mean() == expected.mean());
}

TEST_CASE("a user's soft matcher of public parts answers as the library's, bit for bit") {
  const FloatMatrix map = random_map(37, 41, 5);
  const Match mine = match_map(MySoftArgmax{}, map), ours = match_map(SoftArgmax{}, map);
  CHECK(mine.cell == ours.cell);
  CHECK(mine.score == ours.score);
}
