// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Dot products of bfloat16 rows with float32 sums on AVX512-BF16, in the tiles of dot_avx512.hpp:
/// twice the features an instruction, half the memory to read.

#include <cstddef>
#include <cstdint>

#include "homolog/core/instruction_set.hpp"
#include "homolog/kernels/detail/dot_avx512.hpp"
#include "homolog/kernels/detail/x86_vectors.hpp"

#if HOMOLOG_X86_KERNELS

#define HOMOLOG_AVX512_BF16 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")))

namespace homolog::inline v0_1::detail::avx512_bf16 {

/// Queries against a run of cells, rows of `stride` bfloat16: a multiple of 32, filled with zeros.
struct Inputs {
  const std::uint16_t* queries = nullptr;
  std::size_t query_count = 0;
  const std::uint16_t* cells = nullptr;
  std::size_t stride = 0;
  float* out = nullptr;
  std::size_t out_stride = 0;
};

template <std::size_t Q, std::size_t C>
HOMOLOG_AVX512_BF16 __attribute__((noinline)) void dot_tile(const Inputs& in,
                                                            const std::uint16_t* queries,
                                                            const std::uint16_t* cells,
                                                            float* out) {
  constexpr std::size_t groups = (Q + 3) / 4;
  Floats16 sums[C][4 * groups];
#pragma GCC unroll 6
  for (std::size_t c = 0; c < C; ++c) {
#pragma GCC unroll 8
    for (std::size_t q = 0; q < 4 * groups; ++q) sums[c][q] = Floats16{};
  }
  for (std::size_t k = 0; k < in.stride; k += 32) {
    Halves32 query[Q];
#pragma GCC unroll 8
    for (std::size_t q = 0; q < Q; ++q) query[q] = load(queries + q * in.stride + k);
#pragma GCC unroll 6
    for (std::size_t c = 0; c < C; ++c) {
      const Halves32 cell = load(cells + c * in.stride + k);
#pragma GCC unroll 8
      for (std::size_t q = 0; q < Q; ++q) {
        add_products(sums[c][q], query[q], cell);
      }
    }
  }
  avx512::store_sums<Q, C>(sums, out, in.out_stride);
}

template <std::size_t C>
HOMOLOG_AVX512_BF16 inline void dot_column(const Inputs& in, std::size_t cell) {
  const std::uint16_t* const cells = in.cells + cell * in.stride;
  std::size_t q = 0;
  for (; q + 4 <= in.query_count; q += 4) {
    dot_tile<4, C>(in, in.queries + q * in.stride, cells, in.out + q * in.out_stride + cell);
  }
  const std::uint16_t* const queries = in.queries + q * in.stride;
  float* const out = in.out + q * in.out_stride + cell;
  switch (in.query_count - q) {
    case 1:
      return dot_tile<1, C>(in, queries, cells, out);
    case 2:
      return dot_tile<2, C>(in, queries, cells, out);
    case 3:
      return dot_tile<3, C>(in, queries, cells, out);
  }
}

/// out[q * out_stride + c] for the cells [begin, end), -infinity where not finite.
HOMOLOG_AVX512_BF16 inline void dot_products(const Inputs& in, std::size_t begin, std::size_t end) {
  std::size_t c = begin;
  for (; c + 6 <= end; c += 6) dot_column<6>(in, c);
  for (; c < end; ++c) dot_column<1>(in, c);
}

/// Rounds a row to nearest, ties to even, and fills it up with zeros.
HOMOLOG_AVX512_BF16 inline void to_bfloat16(const float* row, std::size_t dim, std::uint16_t* out,
                                            std::size_t stride) {
  for (std::size_t k = 0; k < stride; k += 16) {
    const std::size_t left = k < dim ? dim - k : 0;
    const Halves16 half =
        rounded(left >= 16 ? avx512::load(row + k) : avx512::load_some(row + k, left));
    __builtin_memcpy(out + k, &half, sizeof half);
  }
}

/// Sums of squares of a row's values and of their rounding errors, in float32.
struct RowSquares {
  float values = 0;
  float errors = 0;
};

/// to_bfloat16 and both sums in one pass.
HOMOLOG_AVX512_BF16 inline RowSquares to_bfloat16_with_squares(const float* row, std::size_t dim,
                                                               std::uint16_t* out,
                                                               std::size_t stride) {
  Floats16 values = Floats16{}, errors = Floats16{};
  for (std::size_t k = 0; k < stride; k += 16) {
    const std::size_t left = k < dim ? dim - k : 0;
    const Floats16 value = left >= 16 ? avx512::load(row + k) : avx512::load_some(row + k, left);
    const Halves16 half = rounded(value);
    __builtin_memcpy(out + k, &half, sizeof half);
    const Floats16 error =
        value - reinterpret_cast<Floats16>(__builtin_convertvector(half, Words16) << 16);
    avx512::add_product(values, value, value);
    avx512::add_product(errors, error, error);
  }
  RowSquares sums;
  for (std::size_t lane = 0; lane < 16; ++lane) {
    sums.values += values[lane];
    sums.errors += errors[lane];
  }
  return sums;
}

}  // namespace homolog::inline v0_1::detail::avx512_bf16

#undef HOMOLOG_AVX512_BF16
#endif
