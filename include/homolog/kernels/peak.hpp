// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The most similar cell of a similarity map.

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <limits>

#include "homolog/core/errors.hpp"
#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/detail/dispatch.hpp"

namespace homolog::inline v0_1 {

/// A cell of a similarity map and the similarity there.
struct Peak {
  Eigen::Index row = 0;  ///< of the map, from the top
  Eigen::Index col = 0;  ///< of the map, from the left
  float value = 0;       ///< the similarity; a cosine in [-1, 1] where the map holds cosines
  /// The cell's centre, (x, y) = (col, row).
  Point<GridFrame> cell() const { return {static_cast<double>(col), static_cast<double>(row)}; }
};

/// The largest finite value of `map`; -infinity where none is finite. Neither this function nor
/// those below check that the machine has the instructions of `execution`.
inline float largest_finite(const SimilarityMap& map, const Execution& execution = {}) {
  return detail::largest_finite(map.data(), static_cast<std::size_t>(map.size()),
                                execution.instructions);
}

/// Finds the largest finite value of `map` [rows, cols]; of equal ones, the one with the lowest
/// row-major index (equations 2 and 9). NaN and infinities never win.
///
/// @throws ValueError when no value is finite
inline Peak find_peak(const SimilarityMap& map, const Execution& execution = {}) {
  const InstructionSet set = execution.instructions;
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

/// The two largest values of a similarity map.
struct TopTwo {
  Peak first;   ///< the largest, as find_peak() finds it
  Peak second;  ///< the largest of all other cells; -infinity where none is finite
  /// How far the first is ahead; infinity when it is the only one.
  float margin() const { return first.value - second.value; }
};

/// Finds the two most similar cells, with the ties of find_peak().
///
/// @throws ValueError when no value is finite
inline TopTwo find_top_two(const SimilarityMap& map, const Execution& execution = {}) {
  const InstructionSet set = execution.instructions;
  const Peak first = find_peak(map, execution);
  const auto before = static_cast<std::size_t>(first.row * map.cols() + first.col);
  const auto after = static_cast<std::size_t>(map.size()) - before - 1;
  const float* const rest = map.data() + before + 1;
  const float above = detail::largest_finite(map.data(), before, set);
  const float below = detail::largest_finite(rest, after, set);
  constexpr float lowest = -std::numeric_limits<float>::infinity();
  if (above == lowest && below == lowest) return {first, {0, 0, lowest}};
  const std::size_t place = above >= below
                                ? detail::first_equal(map.data(), before, above, set)
                                : before + 1 + detail::first_equal(rest, after, below, set);
  const auto index = static_cast<Eigen::Index>(place);
  return {first, {index / map.cols(), index % map.cols(), (std::max)(above, below)}};
}

}  // namespace homolog::inline v0_1
