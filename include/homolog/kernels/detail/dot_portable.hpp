// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Dot products of queries with cells, for any processor, and the order of summation that all
/// instruction sets share.
///
/// Every dot product has 16 partial sums: number i adds the products of features i, i + 16, ... in
/// rising order; then sum i takes sum i + 8 for i < 8, sum i + 4 for i < 4, and so on. The order
/// depends on D alone, so equal features give equal sums, whatever other cells, queries and threads
/// there are. Instruction sets with fused multiply-add give the same bits; without it the products
/// are rounded as well.

#include <cmath>
#include <cstddef>
#include <limits>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1::detail {

inline constexpr std::size_t dot_lanes = 16;

/// A dot product that is not finite becomes -infinity, so that it is never the answer.
inline float finite_or_minus_infinity(float value) {
  return std::isfinite(value) ? value : -std::numeric_limits<float>::infinity();
}

/// The length of a row of `dim` floats that is filled up to whole cache lines.
inline std::size_t padded_dim(std::size_t dim) {
  return (dim + dot_lanes - 1) / dot_lanes * dot_lanes;
}

/// Queries against a run of cells.
struct DotInputs {
  const float* queries = nullptr;  ///< rows of dim floats
  std::size_t query_count = 0;
  std::size_t query_stride = 0;  ///< [floats] from one query to the next
  const float* cells = nullptr;  ///< rows of dim floats, one after the other
  std::size_t dim = 0;
  float* out = nullptr;
  std::size_t out_stride = 0;  ///< [floats] from one query's answers to the next's
};

namespace portable {

inline float dot(const float* a, const float* b, std::size_t dim) {
  float sums[dot_lanes] = {};
  std::size_t k = 0;
  for (; k + dot_lanes <= dim; k += dot_lanes) {
    for (std::size_t i = 0; i < dot_lanes; ++i) sums[i] += a[k + i] * b[k + i];
  }
  for (std::size_t i = 0; k + i < dim; ++i) sums[i] += a[k + i] * b[k + i];
  for (std::size_t half = dot_lanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  return sums[0];
}

/// out[q * out_stride + c] = queries[q] . cells[c] for begin <= c < end, -infinity where that is
/// not finite.
inline void dot_products(const DotInputs& in, std::size_t begin, std::size_t end) {
  constexpr std::size_t strip = 32;  // cells that stay in cache while all queries use them
  for (std::size_t first = begin; first < end; first += strip) {
    const std::size_t last = first + strip < end ? first + strip : end;
    for (std::size_t q = 0; q < in.query_count; ++q) {
      for (std::size_t c = first; c < last; ++c) {
        in.out[q * in.out_stride + c] = finite_or_minus_infinity(
            dot(in.queries + q * in.query_stride, in.cells + c * in.dim, in.dim));
      }
    }
  }
}

}  // namespace portable
}  // namespace homolog::inline v0_1::detail
