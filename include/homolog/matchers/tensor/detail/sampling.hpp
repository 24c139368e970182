// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How points read descriptors from features on a device, as kernels/sample.hpp reads them on the
/// host.

#include <torch/types.h>

#include <cstdint>

#include "homolog/core/feature_map.hpp"
#include "homolog/core/points.hpp"
#include "homolog/kernels/sample.hpp"

namespace homolog::inline v0_1::detail {

/// Each row divided by its L2 norm, or by 1e-12 where the norm is smaller.
inline torch::Tensor l2_normalized(const torch::Tensor& x) {
  return x / at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}, /*keepdim=*/true).clamp_min(1e-12);
}

/// The rows and weights with which a point reads its descriptor, as sample_descriptors() does.
///
/// @param first_row of the picture's cells
/// @param rows receives 1 row for Query::nearest, 4 for Query::bilinear; @param weights so too
inline void add_query(Point<GridFrame> point, const CellRange& content, std::int64_t cols,
                      std::int64_t first_row, Query query, std::int64_t* rows, double* weights) {
  if (query == Query::nearest) {
    rows[0] = first_row + nearest_index(point.y, content.y1, content.y2) * cols +
              nearest_index(point.x, content.x1, content.x2);
    weights[0] = 1;
    return;
  }
  const auto x = neighbours(point.x, content.x1, content.x2);
  const auto y = neighbours(point.y, content.y1, content.y2);
  for (int corner = 0; corner < 4; ++corner) {
    const bool low = corner >= 2, right = corner % 2 == 1;
    rows[corner] = first_row + (low ? y.second : y.first) * cols + (right ? x.second : x.first);
    weights[corner] = static_cast<double>(low ? y.weight : 1 - y.weight) *
                      static_cast<double>(right ? x.weight : 1 - x.weight);
  }
}

}  // namespace homolog::inline v0_1::detail
