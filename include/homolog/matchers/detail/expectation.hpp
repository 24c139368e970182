// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What the soft matchers share: the expected position under a softmax.

#include <Eigen/Core>
#include <cmath>

#include "homolog/core/feature_map.hpp"

namespace homolog::inline v0_1::detail {

/// Weighted sums of positions. The weights are float32, the sums float64, so that the answer does
/// not drift with the number of cells.
struct Expectation {
  double total = 0;
  double x = 0;
  double y = 0;

  void add(Eigen::Index row, Eigen::Index col, float weight) {
    total += static_cast<double>(weight);
    x += static_cast<double>(weight) * static_cast<double>(col);
    y += static_cast<double>(weight) * static_cast<double>(row);
  }
  Point<GridFrame> mean() const { return {x / total, y / total}; }
};

/// exp(temperature * (similarity - maximum)), zero where the similarity is not finite; never
/// overflows, since no similarity exceeds the maximum.
inline float softmax_weight(float similarity, float maximum, float temperature) {
  return std::isfinite(similarity) ? std::exp(temperature * (similarity - maximum)) : 0.0F;
}

}  // namespace homolog::inline v0_1::detail
