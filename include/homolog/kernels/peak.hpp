// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The most similar cell of a similarity map.

#include <Eigen/Core>
#include <limits>

#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"

namespace homolog {

/// A cell of a similarity map and the similarity there.
struct Peak {
  Eigen::Index row = 0;
  Eigen::Index col = 0;
  float value = 0;
  /// The cell's centre, (x, y) = (col, row).
  Point<GridFrame> cell() const { return {static_cast<double>(col), static_cast<double>(row)}; }
};

/// Finds the largest finite value of `map` [rows, cols]; of equal ones, the one with the lowest
/// row-major index (equations 2 and 9). NaN and infinities never win.
///
/// @throws ValueError when no value is finite
inline Peak find_peak(const SimilarityMap& map) {
  Peak peak{0, 0, -std::numeric_limits<float>::infinity()};
  for (Eigen::Index row = 0; row < map.rows(); ++row) {
    for (Eigen::Index col = 0; col < map.cols(); ++col) {
      const float value = map(row, col);
      // Both comparisons are false for NaN, the second one for +infinity.
      if (value > peak.value && value <= std::numeric_limits<float>::max()) {
        peak = {row, col, value};
      }
    }
  }
  if (peak.value == -std::numeric_limits<float>::infinity()) {
    throw ValueError(
        detail::text("similarity map [", map.rows(), ", ", map.cols(), "] holds no finite value"));
  }
  return peak;
}

}  // namespace homolog
