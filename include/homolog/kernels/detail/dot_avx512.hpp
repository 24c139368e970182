// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Dot products of queries with cells on AVX-512: tiles of 4 queries by 6 cells or 8 by 3, whose 24
/// sums of 16 lanes stay in registers. Same order of summation as dot_portable.hpp.

#include "homolog/kernels/detail/dot_portable.hpp"
#include "homolog/core/instruction_set.hpp"

#if HOMOLOG_X86_KERNELS

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <limits>

#define HOMOLOG_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define HOMOLOG_AVX512_INLINE HOMOLOG_AVX512 __attribute__((always_inline)) inline

namespace homolog::inline v0_1::detail::avx512 {

// Shuffles are the compilers' own: GCC 12 warns of uninitialised values inside the intrinsics.

/// [a, b, c, d] of 4 partial sums each.
HOMOLOG_AVX512_INLINE __m512 fold_to_4(__m512 a, __m512 b, __m512 c, __m512 d) {
  const __m512 ab =
      __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
      __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  const __m512 cd =
      __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
      __builtin_shufflevector(c, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  return __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
         __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30,
                                 31);
}

/// In each 128 bits (x0 + x2, y0 + y2, x1 + x3, y1 + y3).
HOMOLOG_AVX512_INLINE __m512 fold_to_2(__m512 x, __m512 y) {
  return __builtin_shufflevector(x, y, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29) +
         __builtin_shufflevector(x, y, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
}

/// In each 128 bits (u0 + u2, u1 + u3, v0 + v2, v1 + v3).
HOMOLOG_AVX512_INLINE __m512 fold_to_1(__m512 u, __m512 v) {
  return __builtin_shufflevector(u, v, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
         __builtin_shufflevector(u, v, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}

HOMOLOG_AVX512_INLINE __m512 only_finite(__m512 values) {
  const __m512 size =
      _mm512_castsi512_ps(_mm512_castps_si512(values) & _mm512_set1_epi32(0x7fffffff));
  const __mmask16 finite =
      _mm512_cmp_ps_mask(size, _mm512_set1_ps((std::numeric_limits<float>::max)()), _CMP_LE_OQ);
  return _mm512_mask_mov_ps(_mm512_set1_ps(-std::numeric_limits<float>::infinity()), finite,
                            values);
}

HOMOLOG_AVX512_INLINE __m128 quarter(__m512 values, std::size_t index) {
  return index == 0   ? __builtin_shufflevector(values, values, 0, 1, 2, 3)
         : index == 1 ? __builtin_shufflevector(values, values, 4, 5, 6, 7)
         : index == 2 ? __builtin_shufflevector(values, values, 8, 9, 10, 11)
                      : __builtin_shufflevector(values, values, 12, 13, 14, 15);
}

/// Folds a tile's sums to their totals, out[q * stride + c]; -infinity where not finite.
template <std::size_t Q, std::size_t C>
HOMOLOG_AVX512_INLINE void store_sums(const __m512 (&sums)[C][(Q + 3) / 4 * 4], float* out,
                                      std::size_t stride) {
  constexpr std::size_t groups = (Q + 3) / 4;
#pragma GCC unroll 2
  for (std::size_t g = 0; g < groups; ++g) {
    __m512 four[C];
#pragma GCC unroll 6
    for (std::size_t c = 0; c < C; ++c) {
      four[c] =
          fold_to_4(sums[c][4 * g], sums[c][4 * g + 1], sums[c][4 * g + 2], sums[c][4 * g + 3]);
    }
#pragma GCC unroll 2
    for (std::size_t begin = 0; begin < C; begin += 4) {
      // 128 bits a query with four cells; the last one is repeated where there are fewer.
      constexpr std::size_t last = C - 1;
      const auto cell = [](std::size_t c) { return c < last ? c : last; };
      const __m512 both = fold_to_2(four[begin], four[cell(begin + 1)]);
      const __m512 values = only_finite(fold_to_1(
          both, begin + 2 < C ? fold_to_2(four[cell(begin + 2)], four[cell(begin + 3)]) : both));
#pragma GCC unroll 4
      for (std::size_t q = 0; q < 4; ++q) {
        if (4 * g + q >= Q) break;
        float* const place = out + (4 * g + q) * stride + begin;
        const __m128 part = quarter(values, q);
        if (C - begin >= 4) {
          _mm_storeu_ps(place, part);
        } else {
          for (std::size_t c = 0; c < 4 && c < C - begin; ++c) place[c] = part[c];
        }
      }
    }
  }
}

/// One tile of Q queries and C cells. Sums beyond Q are zero and are not stored.
template <std::size_t Q, std::size_t C>
HOMOLOG_AVX512 __attribute__((noinline)) void dot_tile(const DotInputs& in, const float* queries,
                                                       const float* cells, std::size_t cell_stride,
                                                       float* out) {
  constexpr std::size_t groups = (Q + 3) / 4;
  __m512 sums[C][4 * groups];
#pragma GCC unroll 6
  for (std::size_t c = 0; c < C; ++c) {
#pragma GCC unroll 8
    for (std::size_t q = 0; q < 4 * groups; ++q) sums[c][q] = _mm512_setzero_ps();
  }
  std::size_t k = 0;
  for (; k + 16 <= in.dim; k += 16) {
    __m512 query[Q];
#pragma GCC unroll 8
    for (std::size_t q = 0; q < Q; ++q) {
      query[q] = _mm512_loadu_ps(queries + q * in.query_stride + k);
    }
#pragma GCC unroll 6
    for (std::size_t c = 0; c < C; ++c) {
      const __m512 cell = _mm512_loadu_ps(cells + c * cell_stride + k);
#pragma GCC unroll 8
      for (std::size_t q = 0; q < Q; ++q) sums[c][q] = _mm512_fmadd_ps(query[q], cell, sums[c][q]);
    }
  }
  if (k < in.dim) {
    const auto rest = static_cast<__mmask16>((1U << (in.dim - k)) - 1);
#pragma GCC unroll 6
    for (std::size_t c = 0; c < C; ++c) {
      const __m512 cell = _mm512_maskz_loadu_ps(rest, cells + c * cell_stride + k);
#pragma GCC unroll 8
      for (std::size_t q = 0; q < Q; ++q) {
        const __m512 query = _mm512_maskz_loadu_ps(rest, queries + q * in.query_stride + k);
        sums[c][q] = _mm512_fmadd_ps(query, cell, sums[c][q]);
      }
    }
  }
  store_sums<Q, C>(sums, out, in.out_stride);
}

HOMOLOG_AVX512 inline float dot(const float* a, const float* b, std::size_t dim) {
  __m512 sum = _mm512_setzero_ps();
  std::size_t k = 0;
  for (; k + 16 <= dim; k += 16) {
    sum = _mm512_fmadd_ps(_mm512_loadu_ps(a + k), _mm512_loadu_ps(b + k), sum);
  }
  if (k < dim) {
    const auto rest = static_cast<__mmask16>((1U << (dim - k)) - 1);
    sum = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(rest, a + k), _mm512_maskz_loadu_ps(rest, b + k),
                          sum);
  }
  const __m512 zero = _mm512_setzero_ps();
  const __m512 two = fold_to_2(fold_to_4(sum, zero, zero, zero), zero);
  return fold_to_1(two, two)[0];
}

/// All of up to 8 queries with a tile's cells.
template <std::size_t C>
HOMOLOG_AVX512 inline void dot_few(const DotInputs& in, const float* queries, std::size_t count,
                                   const float* cells, std::size_t cell_stride, float* out) {
  switch (count) {
    case 1:
      return dot_tile<1, C>(in, queries, cells, cell_stride, out);
    case 2:
      return dot_tile<2, C>(in, queries, cells, cell_stride, out);
    case 3:
      return dot_tile<3, C>(in, queries, cells, cell_stride, out);
    case 4:
      return dot_tile<4, C>(in, queries, cells, cell_stride, out);
  }
  if constexpr (C <= 3) {
    switch (count) {
      case 5:
        return dot_tile<5, C>(in, queries, cells, cell_stride, out);
      case 6:
        return dot_tile<6, C>(in, queries, cells, cell_stride, out);
      case 7:
        return dot_tile<7, C>(in, queries, cells, cell_stride, out);
      case 8:
        return dot_tile<8, C>(in, queries, cells, cell_stride, out);
    }
  }
}

/// As portable::dot_products; few queries read the cells once, from wherever they are.
template <std::size_t C>
HOMOLOG_AVX512 inline void dot_few_products(const DotInputs& in, std::size_t begin,
                                            std::size_t end) {
  for (std::size_t c = begin; c < end; c += C) {
    // The last tile overlaps the one before; what both compute is equal.
    if (c + C > end) c = end - C;
    dot_few<C>(in, in.queries, in.query_count, in.cells + c * in.dim, in.dim, in.out + c);
  }
}

/// Rows of dim floats to rows on cache lines, filled up with zeros.
template <std::size_t C>
HOMOLOG_AVX512 inline void copy_rows(const float* rows, std::size_t dim, float* out,
                                     std::size_t padded) {
  for (std::size_t i = 0; i < C; ++i) {
    std::size_t k = 0;
    for (; k + 16 <= dim; k += 16) {
      _mm512_store_ps(out + i * padded + k, _mm512_loadu_ps(rows + i * dim + k));
    }
    if (k < dim) {
      const auto rest = static_cast<__mmask16>((1U << (dim - k)) - 1);
      _mm512_store_ps(out + i * padded + k, _mm512_maskz_loadu_ps(rest, rows + i * dim + k));
    }
  }
}

/// As portable::dot_products; many queries pass a tile of cells in the first cache, copied there
/// where its rows would straddle cache lines.
HOMOLOG_AVX512 inline void dot_many_products(const DotInputs& in, std::size_t begin,
                                             std::size_t end, float* scratch) {
  constexpr std::size_t C = 6;
  const bool aligned = reinterpret_cast<std::uintptr_t>(in.cells) % 64 == 0 && in.dim % 16 == 0;
  const std::size_t padded = padded_dim(in.dim);
  for (std::size_t c = begin; c < end; c += C) {
    if (c + C > end) c = end - C;
    const float* cells = in.cells + c * in.dim;
    std::size_t cell_stride = in.dim;
    if (!aligned) {
      copy_rows<C>(cells, in.dim, scratch, padded);
      cells = scratch;
      cell_stride = padded;
    }
    std::size_t q = 0;
    for (; q + 4 <= in.query_count; q += 4) {
      dot_tile<4, C>(in, in.queries + q * in.query_stride, cells, cell_stride,
                     in.out + q * in.out_stride + c);
    }
    dot_few<C>(in, in.queries + q * in.query_stride, in.query_count - q, cells, cell_stride,
               in.out + q * in.out_stride + c);
  }
}

/// As portable::dot_products.
HOMOLOG_AVX512 inline void dot_products(const DotInputs& in, std::size_t begin, std::size_t end,
                                        float* scratch) {
  if (end - begin < 6 && in.query_count <= 4) {
    switch (end - begin) {
      case 1:
        return dot_few_products<1>(in, begin, end);
      case 2:
        return dot_few_products<2>(in, begin, end);
      case 3:
        return dot_few_products<3>(in, begin, end);
      case 4:
        return dot_few_products<4>(in, begin, end);
      case 5:
        return dot_few_products<5>(in, begin, end);
    }
  } else if (end - begin < 6) {
    for (std::size_t c = begin; c < end; ++c) {
      for (std::size_t q = 0; q < in.query_count; ++q) {
        in.out[q * in.out_stride + c] = finite_or_minus_infinity(
            dot(in.queries + q * in.query_stride, in.cells + c * in.dim, in.dim));
      }
    }
  } else if (in.query_count <= 4) {
    dot_few_products<6>(in, begin, end);
  } else if (in.query_count <= 8) {
    dot_few_products<3>(in, begin, end);
  } else {
    dot_many_products(in, begin, end, scratch);
  }
}

}  // namespace homolog::inline v0_1::detail::avx512

#undef HOMOLOG_AVX512_INLINE
#undef HOMOLOG_AVX512
#endif
