// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Dot products of queries with cells on AVX2 and FMA: tiles of 2 queries by 3 cells, whose 6 sums
/// of 16 lanes stay in registers. Same order of summation as dot_portable.hpp.

#include <cstddef>

#include "homolog/core/instruction_set.hpp"
#include "homolog/kernels/detail/dot_portable.hpp"
#include "homolog/kernels/detail/x86_vectors.hpp"

#if HOMOLOG_X86_KERNELS

#define HOMOLOG_AVX2 __attribute__((target("avx2,fma")))
#define HOMOLOG_AVX2_INLINE HOMOLOG_AVX2 __attribute__((always_inline)) inline

namespace homolog::inline v0_1::detail::avx2 {

/// 16 partial sums.
struct Lanes {
  Floats8 low;
  Floats8 high;
};

HOMOLOG_AVX2_INLINE Lanes load_lanes(const float* row) { return {load(row), load(row + 8)}; }

/// The first `count` of 16 floats, zeros after them; reads no further.
HOMOLOG_AVX2_INLINE Lanes load_some(const float* row, std::size_t count) {
  alignas(32) float values[dot_lanes] = {};
  for (std::size_t i = 0; i < count; ++i) values[i] = row[i];
  return load_lanes(values);
}

HOMOLOG_AVX2_INLINE void add_product(Lanes& sum, const Lanes& a, const Lanes& b) {
  add_product(sum.low, a.low, b.low);
  add_product(sum.high, a.high, b.high);
}

HOMOLOG_AVX2_INLINE float total(const Lanes& sum) {
  const Floats8 eight = sum.low + sum.high;
  const Floats4 four = __builtin_shufflevector(eight, eight, 0, 1, 2, 3) +
                       __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  const Floats4 two = four + __builtin_shufflevector(four, four, 2, 3, 2, 3);
  return two[0] + two[1];
}

/// One tile of Q queries and C cells.
template <std::size_t Q, std::size_t C>
HOMOLOG_AVX2 __attribute__((noinline)) void dot_tile(const DotInputs& in, const float* queries,
                                                     const float* cells, float* out) {
  Lanes sums[C][Q];
#pragma GCC unroll 3
  for (std::size_t c = 0; c < C; ++c) {
#pragma GCC unroll 2
    for (std::size_t q = 0; q < Q; ++q) sums[c][q] = Lanes{};
  }
  std::size_t k = 0;
  for (; k + dot_lanes <= in.dim; k += dot_lanes) {
    Lanes query[Q];
#pragma GCC unroll 2
    for (std::size_t q = 0; q < Q; ++q) query[q] = load_lanes(queries + q * in.query_stride + k);
#pragma GCC unroll 3
    for (std::size_t c = 0; c < C; ++c) {
      const Lanes cell = load_lanes(cells + c * in.dim + k);
#pragma GCC unroll 2
      for (std::size_t q = 0; q < Q; ++q) add_product(sums[c][q], query[q], cell);
    }
  }
  if (k < in.dim) {
#pragma GCC unroll 3
    for (std::size_t c = 0; c < C; ++c) {
      const Lanes cell = load_some(cells + c * in.dim + k, in.dim - k);
#pragma GCC unroll 2
      for (std::size_t q = 0; q < Q; ++q) {
        add_product(sums[c][q], load_some(queries + q * in.query_stride + k, in.dim - k), cell);
      }
    }
  }
#pragma GCC unroll 3
  for (std::size_t c = 0; c < C; ++c) {
#pragma GCC unroll 2
    for (std::size_t q = 0; q < Q; ++q) {
      out[q * in.out_stride + c] = finite_or_minus_infinity(total(sums[c][q]));
    }
  }
}

template <std::size_t C>
HOMOLOG_AVX2 inline void dot_column(const DotInputs& in, std::size_t cell) {
  const float* cells = in.cells + cell * in.dim;
  std::size_t q = 0;
  for (; q + 2 <= in.query_count; q += 2) {
    dot_tile<2, C>(in, in.queries + q * in.query_stride, cells, in.out + q * in.out_stride + cell);
  }
  if (q < in.query_count) {
    dot_tile<1, C>(in, in.queries + q * in.query_stride, cells, in.out + q * in.out_stride + cell);
  }
}

/// As portable::dot_products.
HOMOLOG_AVX2 inline void dot_products(const DotInputs& in, std::size_t begin, std::size_t end) {
  std::size_t c = begin;
  for (; c + 3 <= end; c += 3) dot_column<3>(in, c);
  for (; c < end; ++c) dot_column<1>(in, c);
}

}  // namespace homolog::inline v0_1::detail::avx2

#undef HOMOLOG_AVX2_INLINE
#undef HOMOLOG_AVX2
#endif
