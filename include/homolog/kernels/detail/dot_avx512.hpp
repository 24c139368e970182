// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Dot products of queries with cells on AVX-512: tiles of 4 queries by 6 cells or 8 by 3, whose 24
/// sums of 16 lanes stay in registers. Same order of summation as dot_portable.hpp.

#include <cstddef>
#include <cstdint>

#include "homolog/core/instruction_set.hpp"
#include "homolog/kernels/detail/dot_portable.hpp"
#include "homolog/kernels/detail/x86_vectors.hpp"

#if HOMOLOG_X86_KERNELS

#define HOMOLOG_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define HOMOLOG_AVX512_INLINE HOMOLOG_AVX512 __attribute__((always_inline)) inline

namespace homolog::inline v0_1::detail::avx512 {

/// [a, b, c, d] of 4 partial sums each.
HOMOLOG_AVX512_INLINE Floats16 fold_to_4(Floats16 a, Floats16 b, Floats16 c, Floats16 d) {
  const Floats16 ab =
      __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
      __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  const Floats16 cd =
      __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
      __builtin_shufflevector(c, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  return __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
         __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30,
                                 31);
}

/// In each 128 bits (x0 + x2, y0 + y2, x1 + x3, y1 + y3).
HOMOLOG_AVX512_INLINE Floats16 fold_to_2(Floats16 x, Floats16 y) {
  return __builtin_shufflevector(x, y, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29) +
         __builtin_shufflevector(x, y, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
}

/// In each 128 bits (u0 + u2, u1 + u3, v0 + v2, v1 + v3).
HOMOLOG_AVX512_INLINE Floats16 fold_to_1(Floats16 u, Floats16 v) {
  return __builtin_shufflevector(u, v, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
         __builtin_shufflevector(u, v, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}

HOMOLOG_AVX512_INLINE Floats4 quarter(Floats16 values, std::size_t index) {
  return index == 0   ? __builtin_shufflevector(values, values, 0, 1, 2, 3)
         : index == 1 ? __builtin_shufflevector(values, values, 4, 5, 6, 7)
         : index == 2 ? __builtin_shufflevector(values, values, 8, 9, 10, 11)
                      : __builtin_shufflevector(values, values, 12, 13, 14, 15);
}

/// Folds a tile's sums to their totals, out[q * stride + c]; -infinity where not finite.
template <std::size_t Q, std::size_t C>
HOMOLOG_AVX512_INLINE void store_sums(const Floats16 (&sums)[C][(Q + 3) / 4 * 4], float* out,
                                      std::size_t stride) {
  constexpr std::size_t groups = (Q + 3) / 4;
#pragma GCC unroll 2
  for (std::size_t g = 0; g < groups; ++g) {
    Floats16 four[C];
#pragma GCC unroll 6
    for (std::size_t c = 0; c < C; ++c) {
      four[c] =
          fold_to_4(sums[c][4 * g], sums[c][4 * g + 1], sums[c][4 * g + 2], sums[c][4 * g + 3]);
    }
#pragma GCC unroll 2
    for (std::size_t begin = 0; begin < C; begin += 4) {
      // Each 128 bits hold one query with four cells; the last cell is repeated when there are
      // fewer.
      constexpr std::size_t last = C - 1;
      const auto cell = [](std::size_t c) { return c < last ? c : last; };
      const Floats16 both = fold_to_2(four[begin], four[cell(begin + 1)]);
      const Floats16 values = only_finite(fold_to_1(
          both, begin + 2 < C ? fold_to_2(four[cell(begin + 2)], four[cell(begin + 3)]) : both));
#pragma GCC unroll 4
      for (std::size_t q = 0; q < 4; ++q) {
        if (4 * g + q >= Q) break;
        float* const place = out + (4 * g + q) * stride + begin;
        const Floats4 part = quarter(values, q);
        if (C - begin >= 4) {
          __builtin_memcpy(place, &part, sizeof part);
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
  Floats16 sums[C][4 * groups];
#pragma GCC unroll 6
  for (std::size_t c = 0; c < C; ++c) {
#pragma GCC unroll 8
    for (std::size_t q = 0; q < 4 * groups; ++q) sums[c][q] = Floats16{};
  }
  std::size_t k = 0;
  for (; k + 16 <= in.dim; k += 16) {
    Floats16 query[Q];
#pragma GCC unroll 8
    for (std::size_t q = 0; q < Q; ++q) {
      query[q] = load(queries + q * in.query_stride + k);
    }
#pragma GCC unroll 6
    for (std::size_t c = 0; c < C; ++c) {
      const Floats16 cell = load(cells + c * cell_stride + k);
#pragma GCC unroll 8
      for (std::size_t q = 0; q < Q; ++q) add_product(sums[c][q], query[q], cell);
    }
  }
  if (k < in.dim) {
#pragma GCC unroll 6
    for (std::size_t c = 0; c < C; ++c) {
      const Floats16 cell = load_some(cells + c * cell_stride + k, in.dim - k);
#pragma GCC unroll 8
      for (std::size_t q = 0; q < Q; ++q) {
        const Floats16 query = load_some(queries + q * in.query_stride + k, in.dim - k);
        add_product(sums[c][q], query, cell);
      }
    }
  }
  store_sums<Q, C>(sums, out, in.out_stride);
}

HOMOLOG_AVX512 inline float dot(const float* a, const float* b, std::size_t dim) {
  Floats16 sum = Floats16{};
  std::size_t k = 0;
  for (; k + 16 <= dim; k += 16) {
    add_product(sum, load(a + k), load(b + k));
  }
  if (k < dim) add_product(sum, load_some(a + k, dim - k), load_some(b + k, dim - k));
  const Floats16 zero = Floats16{};
  const Floats16 two = fold_to_2(fold_to_4(sum, zero, zero, zero), zero);
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

/// As portable::dot_products, for few queries: they read the cells only once, without copying them.
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
      store(out + i * padded + k, load(rows + i * dim + k));
    }
    if (k < dim) store(out + i * padded + k, load_some(rows + i * dim + k, dim - k));
  }
}

/// As portable::dot_products, for many queries: they all use a tile of cells that stays in the L1
/// cache, and that is copied when its rows would cross cache lines.
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
