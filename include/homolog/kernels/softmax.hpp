// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The expected position under a softmax over a similarity map, from which soft matchers are built.
///
/// @code
/// const homolog::Peak peak = homolog::find_peak(map, execution);
/// return {homolog::softmax_sums(map, peak.value, 50, execution).mean(), peak.value};
/// @endcode

#include <Eigen/Core>
#include <cmath>
#include <cstddef>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/detail/dispatch.hpp"

namespace homolog::inline v0_1 {

/// Sums over cells of a map: of their weights, and of weight * column and weight * row. The weights
/// are float32, the sums float64, so that rounding errors do not grow with the number of cells.
struct SoftmaxSums {
  double total = 0;  ///< of weights; at least 1 where the cell of the maximum is among the cells
  double x = 0;      ///< of weight * column
  double y = 0;      ///< of weight * row

  /// Adds one cell.
  void add(Eigen::Index row, Eigen::Index col, float weight) {
    total += static_cast<double>(weight);
    x += static_cast<double>(weight) * static_cast<double>(col);
    y += static_cast<double>(weight) * static_cast<double>(row);
  }
  /// The expected position; not finite where no cell has a weight.
  Point<GridFrame> mean() const { return {x / total, y / total}; }
};

/// exp(temperature * (similarity - maximum)), zero where the similarity is not finite; never
/// overflows where no similarity exceeds the maximum.
inline float softmax_weight(float similarity, float maximum, float temperature) {
  return std::isfinite(similarity) ? std::exp(temperature * (similarity - maximum)) : 0.0F;
}

/// Sums over all cells under softmax(temperature * similarity) (equations 6 and 7), with vector
/// instructions: weights may differ from softmax_weight() in the last bits. Cells that are not
/// finite have weight 0.
///
/// @param map [rows, cols]
/// @param maximum the largest finite value of `map`, as find_peak() and largest_finite() give it
/// @param execution the machine must have its instruction set, which is not checked
inline SoftmaxSums softmax_sums(const SimilarityMap& map, float maximum, float temperature,
                                const Execution& execution = {}) {
  const auto moments = detail::softmax_moments(map.data(), static_cast<std::size_t>(map.rows()),
                                               static_cast<std::size_t>(map.cols()), maximum,
                                               temperature, execution.instructions);
  return {moments.total, moments.x, moments.y};
}

/// The same over the cells of a window alone (equations 10 to 12), whose weights are those of
/// softmax_weight().
///
/// @param window inside the map; not checked
inline SoftmaxSums softmax_sums(const SimilarityMap& map, const CellRange& window, float maximum,
                                float temperature) {
  SoftmaxSums sums;
  for (Eigen::Index row = window.y1; row < window.y2; ++row) {
    for (Eigen::Index col = window.x1; col < window.x2; ++col) {
      sums.add(row, col, softmax_weight(map(row, col), maximum, temperature));
    }
  }
  return sums;
}

}  // namespace homolog::inline v0_1
