// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The most similar cell of a similarity map.

#include <Eigen/Core>
#include <cstddef>
#include <limits>

#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/detail/dispatch.hpp"

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
  const InstructionSet set = best_instruction_set();
  const auto count = static_cast<std::size_t>(map.size());
  const float largest = detail::largest_finite(map.data(), count, set);
  if (largest == -std::numeric_limits<float>::infinity()) {
    throw ValueError(
        detail::text("similarity map [", map.rows(), ", ", map.cols(), "] holds no finite value"));
  }
  const auto index =
      static_cast<Eigen::Index>(detail::first_equal(map.data(), count, largest, set));
  return {index / map.cols(), index % map.cols(), largest};
}

}  // namespace homolog
