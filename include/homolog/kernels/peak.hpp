// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The most similar cell of a similarity map.

#include <Eigen/Core>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"

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
float largest_finite(const SimilarityMap& map, const Execution& execution = {});

/// Finds the largest finite value of `map` [rows, cols]; of equal ones, the one with the lowest
/// row-major index (equations 2 and 9). NaN and infinities never win.
///
/// @throws ValueError when no value is finite
Peak find_peak(const SimilarityMap& map, const Execution& execution = {});

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
TopTwo find_top_two(const SimilarityMap& map, const Execution& execution = {});

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/kernels/detail/peak_inl.hpp"
#endif
