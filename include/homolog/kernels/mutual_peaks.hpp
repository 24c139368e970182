// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Mutual nearest neighbours: the best cell of every query and the best query of every cell, from
/// one pass over their similarities.

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "homolog/core/detail/lock.hpp"
#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/kernels/similarity.hpp"

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
inline MutualPeaks find_mutual_peaks(MatrixView queries, const FeatureMap& target,
                                     const Execution& execution = {}) {
  detail::require_same_dim(queries, target);
  const auto cells = static_cast<std::size_t>(target.cells());
  constexpr float lowest = -std::numeric_limits<float>::infinity();
  MutualPeaks result;
  result.cols = target.cols;
  result.cell_of_query.resize(static_cast<std::size_t>(queries.rows()));
  result.query_of.assign(cells, -1);
  std::vector<float> largest(cells, lowest);
  detail::Mutex mutex;
  detail::in_blocks(
      queries.rows(), execution,
      [&](Eigen::Index begin, Eigen::Index count, const Execution& inner, FloatMatrix& similarity) {
        detail::fill_similarity_rows(
            MatrixView(queries.data() + begin * queries.cols(), count, queries.cols()), target,
            similarity, inner);
        detail::require_finite_rows(similarity, begin, inner);
        std::vector<float> most(cells, lowest);
        std::vector<std::int32_t> rows(cells, -1);
        for (Eigen::Index i = 0; i < count; ++i) {
          const float* const row = detail::row_of(similarity, i);
          result.cell_of_query[static_cast<std::size_t>(begin + i)] =
              find_peak(SimilarityMap(row, target.rows, target.cols), inner);
          detail::take_column_maxima(row, cells, static_cast<std::int32_t>(begin + i), most.data(),
                                     rows.data(), inner.instructions);
        }
        // Blocks of several threads end in any order.
        const detail::Lock lock(mutex);
        for (std::size_t c = 0; c < cells; ++c) {
          const bool earlier = most[c] == largest[c] && rows[c] < result.query_of[c];
          if (most[c] > largest[c] || earlier) {
            largest[c] = most[c];
            result.query_of[c] = rows[c];
          }
        }
      });
  return result;
}

}  // namespace homolog::inline v0_1
