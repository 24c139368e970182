// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// L2 normalisation of descriptors, which turns dot products into cosines.

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "homolog/core/feature_map.hpp"

namespace homolog::inline v0_1 {

/// Divides each row of `values` [N,D] by its L2 norm, or by 1e-12 where the norm is smaller, as
/// torch.nn.functional.normalize does; zero rows stay zero.
///
/// A row that holds a NaN or an infinity comes out with at least one NaN, so that no similarity
/// with it is finite and it can never be the answer to a query.
inline void normalize_rows(FloatMatrix& values) {
  const Eigen::Index dim = values.cols();
  for (Eigen::Index i = 0; i < values.rows(); ++i) {
    float* const row = detail::row_of(values, i);
    // float64, because the square of a large float32 overflows and would turn the row into zeros.
    // Several sums, which the compiler may keep in one vector.
    std::array<double, 8> sums{};
    Eigen::Index k = 0;
    for (; k + 8 <= dim; k += 8) {
      for (Eigen::Index lane = 0; lane < 8; ++lane) {
        const double value = static_cast<double>(row[k + lane]);
        sums[static_cast<std::size_t>(lane)] += value * value;
      }
    }
    for (; k < dim; ++k) sums[0] += static_cast<double>(row[k]) * static_cast<double>(row[k]);
    double square = 0;
    for (const double sum : sums) square += sum;
    // With this order of arguments std::max returns a NaN norm unchanged.
    const double factor = 1.0 / (std::max)(std::sqrt(square), 1e-12);
    for (k = 0; k < dim; ++k) row[k] = static_cast<float>(static_cast<double>(row[k]) * factor);
  }
}

}  // namespace homolog::inline v0_1
