// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Mutual nearest neighbours: the best cell of every query and the best query of every cell, from
/// one pass over their similarities.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/peak.hpp"

namespace homolog::inline v0_1 {

/// Row and column maxima of the similarities of queries with a target's cells.
struct MutualPeaks {
  int cols = 0;                        ///< of the target grid
  std::vector<Peak> cell_of_query;     ///< [N]
  std::vector<std::int32_t> query_of;  ///< [rows*cols] query most similar to a cell, -1 without one

  /// Whether query `i` is the one that its cell likes best.
  bool is_mutual(std::size_t i) const {
    const Peak& peak = cell_of_query[i];
    return query_of[static_cast<std::size_t>(peak.row * cols + peak.col)] ==
           static_cast<std::int32_t>(i);
  }
};

/// Finds both. With all cells of a source map as queries (FeatureMap::descriptors()), this is the
/// nearest neighbour in either direction.
///
/// Of equally similar cells, and of equally similar queries, the lowest index wins, whatever the
/// number of threads.
///
/// @param queries L2-normalised float32 [N,D]
/// @throws ShapeError when D differs; ValueError naming the first query without any finite
/// similarity
MutualPeaks find_mutual_peaks(MatrixView queries, const FeatureMap& target,
                              const Execution& execution = {});

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/kernels/detail/mutual_peaks_inl.hpp"
#endif
