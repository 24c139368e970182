// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The two matrix products of attention on 64-bit ARM, see attention_tiles.hpp.

#include "homolog/core/instruction_set.hpp"
#include "homolog/kernels/detail/attention_tiles.hpp"

#if HOMOLOG_NEON_KERNELS

#include <arm_neon.h>

#include <cstddef>

namespace homolog::inline v0_1::detail {

/// As PortableAttention, on NEON, in the order of summation of AVX2.
struct NeonAttention {
  using Value = float;
  using Packed = float;

  /// Tiles of 8 queries by 12 keys: each lane of the queries is multiplied with 4 keys at a time.
  __attribute__((noinline)) static void scores(const float* queries, const float* keys,
                                               std::size_t dim, float* out, std::size_t stride) {
    for (std::size_t c = 0; c < key_panel; c += 12) {
      float32x4_t sums[score_rows][3];
#pragma GCC unroll 8
      for (std::size_t q = 0; q < score_rows; ++q) {
#pragma GCC unroll 3
        for (std::size_t v = 0; v < 3; ++v) sums[q][v] = vdupq_n_f32(0);
      }
      for (std::size_t d = 0; d < dim; ++d) {
        const float* const key = keys + d * key_panel + c;
        const float32x4_t low = vld1q_f32(queries + d * score_rows);
        const float32x4_t high = vld1q_f32(queries + d * score_rows + 4);
#pragma GCC unroll 3
        for (std::size_t v = 0; v < 3; ++v) {
          const float32x4_t four = vld1q_f32(key + 4 * v);
          sums[0][v] = vfmaq_laneq_f32(sums[0][v], four, low, 0);
          sums[1][v] = vfmaq_laneq_f32(sums[1][v], four, low, 1);
          sums[2][v] = vfmaq_laneq_f32(sums[2][v], four, low, 2);
          sums[3][v] = vfmaq_laneq_f32(sums[3][v], four, low, 3);
          sums[4][v] = vfmaq_laneq_f32(sums[4][v], four, high, 0);
          sums[5][v] = vfmaq_laneq_f32(sums[5][v], four, high, 1);
          sums[6][v] = vfmaq_laneq_f32(sums[6][v], four, high, 2);
          sums[7][v] = vfmaq_laneq_f32(sums[7][v], four, high, 3);
        }
      }
#pragma GCC unroll 8
      for (std::size_t q = 0; q < score_rows; ++q) {
#pragma GCC unroll 3
        for (std::size_t v = 0; v < 3; ++v) vst1q_f32(out + q * stride + c + 4 * v, sums[q][v]);
      }
    }
  }

  static float exponentials(float* row, std::size_t count, float scale) {
    return neon::exponentials(row, count, scale);
  }

  template <int Lane, std::size_t R>
  __attribute__((always_inline)) static void add_row(float32x4_t (&sums)[R][4],
                                                     const float32x4_t (&weights)[R],
                                                     const float* row) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) {
      const float32x4_t value = vld1q_f32(row + 4 * v);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < R; ++r) {
        sums[r][v] = vfmaq_laneq_f32(sums[r][v], value, weights[r], Lane);
      }
    }
  }

  /// R queries, 16 dimensions. Weights are loaded four at a time, and each lane is multiplied with
  /// 4 dimensions.
  template <std::size_t R>
  __attribute__((noinline)) static void add_tile(const float* weights, std::size_t stride,
                                                 const float* values, std::size_t count,
                                                 std::size_t dim, float* out) {
    float32x4_t sums[R][4];
#pragma GCC unroll 4
    for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < 4; ++v) sums[r][v] = vld1q_f32(out + r * dim + 4 * v);
    }
    std::size_t k = 0;
    for (; k + 4 <= count; k += 4) {
      float32x4_t weight[R];
#pragma GCC unroll 4
      for (std::size_t r = 0; r < R; ++r) weight[r] = vld1q_f32(weights + r * stride + k);
      add_row<0>(sums, weight, values + k * dim);
      add_row<1>(sums, weight, values + (k + 1) * dim);
      add_row<2>(sums, weight, values + (k + 2) * dim);
      add_row<3>(sums, weight, values + (k + 3) * dim);
    }
    for (; k < count; ++k) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < 4; ++v) {
        const float32x4_t value = vld1q_f32(values + k * dim + 4 * v);
#pragma GCC unroll 4
        for (std::size_t r = 0; r < R; ++r) {
          sums[r][v] = vfmaq_n_f32(sums[r][v], value, weights[r * stride + k]);
        }
      }
    }
#pragma GCC unroll 4
    for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < 4; ++v) vst1q_f32(out + r * dim + 4 * v, sums[r][v]);
    }
  }

  static void add_values(const float* weights, std::size_t stride, std::size_t rows,
                         const float* values, std::size_t count, std::size_t dim, float* out) {
    for (std::size_t d = 0; d < dim; d += 16) {
      std::size_t q = 0;
      for (; q + 4 <= rows; q += 4) {
        add_tile<4>(weights + q * stride, stride, values + d, count, dim, out + q * dim + d);
      }
      for (; q < rows; ++q) {
        add_tile<1>(weights + q * stride, stride, values + d, count, dim, out + q * dim + d);
      }
    }
  }
};

}  // namespace homolog::inline v0_1::detail

#endif
