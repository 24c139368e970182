// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How sure an argmax is: by how much the best cell is better than the second best.

#include <Eigen/Core>
#include <cstddef>
#include <vector>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/kernels/similarity.hpp"

namespace homolog::inline v0_1 {

/// The difference between the two largest cosines of each query with the target's cells; infinity
/// when only one cell has a finite similarity. It computes all similarities in float32, which the
/// scan in bfloat16 avoids.
///
/// @param queries L2-normalised float32 [N,D]
/// @return [N]
/// @throws ShapeError when D differs; ValueError naming the first query without any finite
/// similarity
inline std::vector<float> find_margins(MatrixView queries, const FeatureMap& target,
                                       const Execution& execution = {}) {
  std::vector<float> margins(static_cast<std::size_t>(queries.rows()));
  detail::in_blocks(
      queries.rows(), execution,
      [&](Eigen::Index begin, Eigen::Index count, const Execution& inner, FloatMatrix& similarity) {
        const MatrixView rows(queries.data() + begin * queries.cols(), count, queries.cols());
        detail::fill_similarity_rows(rows, target, similarity, inner);
        detail::require_finite_rows(similarity, begin, inner);
        for (Eigen::Index i = 0; i < count; ++i) {
          const SimilarityMap map(detail::row_of(similarity, i), target.rows, target.cols);
          margins[static_cast<std::size_t>(begin + i)] = find_top_two(map, inner).margin();
        }
      });
  return margins;
}

}  // namespace homolog::inline v0_1
