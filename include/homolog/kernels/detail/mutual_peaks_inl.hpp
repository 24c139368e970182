// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of kernels/mutual_peaks.hpp.

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/detail/lock.hpp"
#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/detail/dispatch.hpp"
#include "homolog/kernels/mutual_peaks.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/kernels/similarity.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE MutualPeaks find_mutual_peaks(MatrixView queries, const FeatureMap& target,
                                             const Execution& execution) {
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
