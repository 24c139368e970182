// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// L2 normalisation of descriptors, which turns dot products into cosines.

#include <Eigen/Core>
#include <algorithm>

#include "homolog/core/feature_map.hpp"

namespace homolog {

/// Divides each row of `values` [N,D] by its L2 norm, or by 1e-12 where the norm is smaller, as
/// torch.nn.functional.normalize does; zero rows stay zero.
///
/// A row that holds a NaN or an infinity comes out with at least one NaN, so that no similarity
/// with it is finite and it can never be the answer to a query.
inline void normalize_rows(FloatMatrix& values) {
  for (Eigen::Index i = 0; i < values.rows(); ++i) {
    auto row = values.row(i);
    // float64, because the square of a large float32 overflows and would turn the row into zeros.
    const double norm = row.cast<double>().norm();
    const double factor = 1.0 / std::max(norm, 1e-12);  // a NaN norm stays NaN in this order
    row = (row.cast<double>() * factor).cast<float>();
  }
}

}  // namespace homolog
