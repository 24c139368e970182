// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Dot products of queries with cells on 64-bit ARM: tiles of 4 queries by 6 cells. Same order of
/// summation as dot_portable.hpp.

#include "homolog/core/instruction_set.hpp"
#include "homolog/kernels/detail/dot_portable.hpp"

#if HOMOLOG_NEON_KERNELS

#include <arm_neon.h>

#include <cstddef>
#include <limits>

#define HOMOLOG_NEON_INLINE __attribute__((always_inline)) inline

namespace homolog::inline v0_1::detail::neon {

/// The first `count` of 16 floats, zeros after them; reads no further.
HOMOLOG_NEON_INLINE void copy_some(const float* row, std::size_t count, float* out) {
  for (std::size_t i = 0; i < dot_lanes; ++i) out[i] = i < count ? row[i] : 0.0F;
}

/// (x0 + x2, x1 + x3, y0 + y2, y1 + y3).
HOMOLOG_NEON_INLINE float32x4_t fold_to_2(float32x4_t x, float32x4_t y) {
  return vaddq_f32(vcombine_f32(vget_low_f32(x), vget_low_f32(y)),
                   vcombine_f32(vget_high_f32(x), vget_high_f32(y)));
}

/// Folds one query's sums of 4 lanes with C cells to their totals; -infinity where not finite.
template <std::size_t C>
HOMOLOG_NEON_INLINE void store_sums(const float32x4_t (&sums)[C], float* out) {
  constexpr std::size_t last = C - 1;
  const auto of = [&](std::size_t c) { return sums[c < last ? c : last]; };
#pragma GCC unroll 2
  for (std::size_t c = 0; c < C; c += 4) {
    // Four cells; the last one is repeated where there are fewer.
    const float32x4_t values =
        vpaddq_f32(fold_to_2(of(c), of(c + 1)), fold_to_2(of(c + 2), of(c + 3)));
    const uint32x4_t finite = vcaleq_f32(values, vdupq_n_f32((std::numeric_limits<float>::max)()));
    const float32x4_t answers =
        vbslq_f32(finite, values, vdupq_n_f32(-std::numeric_limits<float>::infinity()));
    if (C - c >= 4) {
      vst1q_f32(out + c, answers);
    } else {
      if (C - c >= 2) vst1_f32(out + c, vget_low_f32(answers));
      if (C - c == 1) out[c] = vgetq_lane_f32(answers, 0);
      if (C - c == 3) out[c + 2] = vgetq_lane_f32(answers, 2);
    }
  }
}

/// One tile of Q queries and C cells. The 16 partial sums of a pair are 4 vectors; a tile that kept
/// all of its sums in the 32 registers would load more than it adds. Therefore the features are
/// read several times, each time for some of the 4 vectors of every pair: at most 24 sums, whose
/// operands come from the L1 cache.
template <std::size_t Q, std::size_t C>
__attribute__((noinline)) void dot_tile(const DotInputs& in, const float* queries,
                                        const float* cells, float* out) {
  constexpr std::size_t vectors = dot_lanes / 4;
  constexpr std::size_t at_once = Q * C <= 6 ? 4 : Q * C <= 12 ? 2 : 1;
  const std::size_t whole = in.dim / dot_lanes * dot_lanes, rest = in.dim - whole;
  float last_queries[Q][dot_lanes], last_cells[C][dot_lanes];
  if (rest > 0) {
    for (std::size_t q = 0; q < Q; ++q) {
      copy_some(queries + q * in.query_stride + whole, rest, last_queries[q]);
    }
    for (std::size_t c = 0; c < C; ++c) {
      copy_some(cells + c * in.dim + whole, rest, last_cells[c]);
    }
  }
  const float *query_rows[Q], *cell_rows[C];
  float32x4_t kept[vectors][C][Q];
  for (std::size_t first = 0; first < vectors; first += at_once) {
    float32x4_t sums[at_once][C][Q];
    const auto add = [&](std::size_t k) __attribute__((always_inline)) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < at_once; ++v) {
        float32x4_t query[Q];
#pragma GCC unroll 4
        for (std::size_t q = 0; q < Q; ++q) query[q] = vld1q_f32(query_rows[q] + k + 4 * v);
#pragma GCC unroll 6
        for (std::size_t c = 0; c < C; ++c) {
          const float32x4_t cell = vld1q_f32(cell_rows[c] + k + 4 * v);
          // Keeps a compiler from loading all cells first, for which the registers do not suffice.
          asm volatile("" ::: "memory");
#pragma GCC unroll 4
          for (std::size_t q = 0; q < Q; ++q) {
            sums[v][c][q] = vfmaq_f32(sums[v][c][q], query[q], cell);
          }
        }
      }
    };
#pragma GCC unroll 4
    for (std::size_t v = 0; v < at_once; ++v) {
#pragma GCC unroll 6
      for (std::size_t c = 0; c < C; ++c) {
#pragma GCC unroll 4
        for (std::size_t q = 0; q < Q; ++q) sums[v][c][q] = vdupq_n_f32(0);
      }
    }
#pragma GCC unroll 4
    for (std::size_t q = 0; q < Q; ++q) query_rows[q] = queries + q * in.query_stride + 4 * first;
#pragma GCC unroll 6
    for (std::size_t c = 0; c < C; ++c) cell_rows[c] = cells + c * in.dim + 4 * first;
    for (std::size_t k = 0; k != whole; k += dot_lanes) add(k);
    if (rest > 0) {
#pragma GCC unroll 4
      for (std::size_t q = 0; q < Q; ++q) query_rows[q] = last_queries[q] + 4 * first;
#pragma GCC unroll 6
      for (std::size_t c = 0; c < C; ++c) cell_rows[c] = last_cells[c] + 4 * first;
      add(0);
    }
#pragma GCC unroll 4
    for (std::size_t v = 0; v < at_once; ++v) {
#pragma GCC unroll 6
      for (std::size_t c = 0; c < C; ++c) {
#pragma GCC unroll 4
        for (std::size_t q = 0; q < Q; ++q) kept[first + v][c][q] = sums[v][c][q];
      }
    }
  }
  for (std::size_t q = 0; q < Q; ++q) {
    float32x4_t folded[C];
#pragma GCC unroll 6
    for (std::size_t c = 0; c < C; ++c) {
      folded[c] = vaddq_f32(vaddq_f32(kept[0][c][q], kept[2][c][q]),
                            vaddq_f32(kept[1][c][q], kept[3][c][q]));
    }
    store_sums<C>(folded, out + q * in.out_stride);
  }
}

/// All queries with C cells.
template <std::size_t C>
inline void dot_column(const DotInputs& in, std::size_t cell) {
  const float* const cells = in.cells + cell * in.dim;
  float* const out = in.out + cell;
  std::size_t q = 0;
  for (; q + 4 <= in.query_count; q += 4) {
    dot_tile<4, C>(in, in.queries + q * in.query_stride, cells, out + q * in.out_stride);
  }
  const float* const queries = in.queries + q * in.query_stride;
  switch (in.query_count - q) {
    case 1:
      return dot_tile<1, C>(in, queries, cells, out + q * in.out_stride);
    case 2:
      return dot_tile<2, C>(in, queries, cells, out + q * in.out_stride);
    case 3:
      return dot_tile<3, C>(in, queries, cells, out + q * in.out_stride);
  }
}

/// As portable::dot_products.
inline void dot_products(const DotInputs& in, std::size_t begin, std::size_t end) {
  std::size_t c = begin;
  for (; c + 6 <= end; c += 6) dot_column<6>(in, c);
  for (; c < end; ++c) dot_column<1>(in, c);
}

}  // namespace homolog::inline v0_1::detail::neon

#undef HOMOLOG_NEON_INLINE
#endif
