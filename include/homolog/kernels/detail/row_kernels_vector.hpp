// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The loops of row_kernels_portable.hpp with vector instructions, written once for AVX2, AVX-512
/// and NEON.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "homolog/core/instruction_set.hpp"
#include "homolog/kernels/detail/row_kernels_portable.hpp"

#if HOMOLOG_X86_KERNELS || HOMOLOG_NEON_KERNELS

#define HOMOLOG_VECTOR_BODY __attribute__((always_inline)) inline

namespace homolog::inline v0_1::detail {

template <std::size_t W>
struct Vectors;
template <>
struct Vectors<4> {
  using Floats = float __attribute__((vector_size(16)));
  using Ints = std::int32_t __attribute__((vector_size(16)));
};
template <>
struct Vectors<8> {
  using Floats = float __attribute__((vector_size(32)));
  using Ints = std::int32_t __attribute__((vector_size(32)));
};
template <>
struct Vectors<16> {
  using Floats = float __attribute__((vector_size(64)));
  using Ints = std::int32_t __attribute__((vector_size(64)));
};

/// The bodies for vectors of W floats. Vectors are passed by reference, because by value their
/// calling convention would depend on the instruction set. Each selection has a single comparison,
/// because GCC 12 splits combined comparisons into scalar code.
template <std::size_t W>
struct RowKernels {
  using Floats = typename Vectors<W>::Floats;
  using Ints = typename Vectors<W>::Ints;
  /// Sums have at least 8 lanes, so that vectors of 4 floats add in the same order as vectors of 8.
  static constexpr std::size_t lanes = W < 8 ? 8 : W;
  static constexpr std::size_t parts = lanes / W;

  /// The first `count` of W values at `from`, the others `fill`.
  HOMOLOG_VECTOR_BODY static void load(Floats& out, const float* from, std::size_t count,
                                       float fill) {
    if (count >= W) {
      std::memcpy(&out, from, sizeof out);
    } else {
      for (std::size_t i = 0; i < W; ++i) out[i] = i < count ? from[i] : fill;
    }
  }

  HOMOLOG_VECTOR_BODY static void take_larger(Floats& largest, const float* from,
                                              std::size_t count) {
    constexpr float lowest = -std::numeric_limits<float>::infinity();
    Floats found;
    load(found, from, count, lowest);
    found = found <= (std::numeric_limits<float>::max)() ? found : Floats{} + lowest;
    largest = found > largest ? found : largest;
  }

  HOMOLOG_VECTOR_BODY static float largest_finite(const float* values, std::size_t count) {
    constexpr float lowest = -std::numeric_limits<float>::infinity();
    Floats a = Floats{} + lowest, b = a, c = a, d = a;
    std::size_t i = 0;
    for (; i + 4 * W <= count; i += 4 * W) {
      take_larger(a, values + i, W);
      take_larger(b, values + i + W, W);
      take_larger(c, values + i + 2 * W, W);
      take_larger(d, values + i + 3 * W, W);
    }
    for (; i < count; i += W) take_larger(a, values + i, count - i);
    a = b > a ? b : a;
    c = d > c ? d : c;
    a = c > a ? c : a;
    float result = lowest;
    for (std::size_t k = 0; k < W; ++k) result = a[k] > result ? a[k] : result;
    return result;
  }

  /// Index of the first element that equals `value` or, with AtLeast, is not below it; or `count`.
  template <bool AtLeast>
  HOMOLOG_VECTOR_BODY static std::size_t first(const float* values, std::size_t count,
                                               float value) {
    std::size_t i = 0;
    for (; i + 4 * W <= count; i += 4 * W) {
      const Floats zero = {}, one = zero + 1.0F;
      Floats hits = zero;
      for (std::size_t part = 0; part < 4; ++part) {
        Floats found;
        std::memcpy(&found, values + i + part * W, sizeof found);
        if constexpr (AtLeast) {
          hits += found >= value ? one : zero;
        } else {
          hits += found == value ? one : zero;
        }
      }
      float any = 0;
      for (std::size_t k = 0; k < W; ++k) any += hits[k];
      if (any != 0) break;
    }
    while (i < count && !(AtLeast ? values[i] >= value : values[i] == value)) ++i;
    return i;
  }

  /// exp(x) where -87 < x <= 0, with a relative error below 3e-7; 0 elsewhere, for NaN too. Cody
  /// and Waite's reduction, Taylor's polynomial of degree 6.
  HOMOLOG_VECTOR_BODY static void exp_not_positive(Floats& x) {
    const Floats zero = {}, lowest = zero - 87.0F;
    Floats inside = x <= 0.0F ? x : lowest;
    inside = inside > lowest ? inside : lowest;
    // Rounds to the nearest integer by a conversion: adding and subtracting 1.5 * 2^23 would work
    // too, but -fassociative-math removes such a pair.
    const Ints exponent = __builtin_convertvector(inside * 1.44269504F - 0.5F, Ints);
    const Floats n = __builtin_convertvector(exponent, Floats);
    const Floats r = (inside - n * 0.693359375F) + n * 2.12194440e-4F;
    Floats p = r * (1.0F / 720) + 1.0F / 120;
    p = p * r + 1.0F / 24;
    p = p * r + 1.0F / 6;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    const Ints power = (exponent + 127) << 23;
    Floats scale;
    std::memcpy(&scale, &power, sizeof scale);
    x = inside > lowest ? p * scale : zero;
  }

  HOMOLOG_VECTOR_BODY static void take_column_maxima(const float* values, std::size_t count,
                                                     std::int32_t row, float* largest,
                                                     std::int32_t* rows) {
    constexpr float lowest = -std::numeric_limits<float>::infinity();
    std::size_t i = 0;
    for (; i + W <= count; i += W) {
      Floats value, most;
      Ints index;
      std::memcpy(&value, values + i, sizeof value);
      std::memcpy(&most, largest + i, sizeof most);
      std::memcpy(&index, rows + i, sizeof index);
      value = value <= (std::numeric_limits<float>::max)() ? value : Floats{} + lowest;
      index = value > most ? Ints{} + row : index;
      most = value > most ? value : most;
      std::memcpy(largest + i, &most, sizeof most);
      std::memcpy(rows + i, &index, sizeof index);
    }
    portable::take_column_maxima(values + i, count - i, row, largest + i, rows + i);
  }

  HOMOLOG_VECTOR_BODY static float exponentials(float* values, std::size_t count, float scale) {
    const float maximum = largest_finite(values, count);
    Floats even[parts] = {}, odd[parts] = {};
    std::size_t i = 0;
    for (; i + 2 * lanes <= count; i += 2 * lanes) {
#pragma GCC unroll 2
      for (std::size_t part = 0; part < parts; ++part) {
        float* const first = values + i + part * W;
        Floats a, b;
        std::memcpy(&a, first, sizeof a);
        std::memcpy(&b, first + lanes, sizeof b);
        a = (a - maximum) * scale;
        b = (b - maximum) * scale;
        exp_not_positive(a);
        exp_not_positive(b);
        even[part] += a;
        odd[part] += b;
        std::memcpy(first, &a, sizeof a);
        std::memcpy(first + lanes, &b, sizeof b);
      }
    }
    for (std::size_t part = 0; i < count; i += W, part = (part + 1) % parts) {
      Floats a;
      load(a, values + i, count - i, -std::numeric_limits<float>::infinity());
      a = (a - maximum) * scale;
      exp_not_positive(a);
      even[part] += a;
      for (std::size_t k = 0; k < W && i + k < count; ++k) values[i + k] = a[k];
    }
    float total = 0;
#pragma GCC unroll 2
    for (std::size_t part = 0; part < parts; ++part) {
      even[part] += odd[part];
      for (std::size_t k = 0; k < W; ++k) total += even[part][k];
    }
    return total;
  }

  /// Lanes run along the whole map, each with its own row and column.
  HOMOLOG_VECTOR_BODY static Moments softmax_moments(const float* values, std::size_t rows,
                                                     std::size_t cols, float maximum,
                                                     float temperature) {
    Moments moments;
    Floats row[parts], col[parts];
    for (std::size_t k = 0; k < lanes; ++k) {
      row[k / W][k % W] = static_cast<float>(k / cols);
      col[k / W][k % W] = static_cast<float>(k % cols);
    }
    const Floats col_step = Floats{} + static_cast<float>(lanes % cols), one = Floats{} + 1.0F;
    const Floats row_step = Floats{} + static_cast<float>(lanes / cols), zero = {};
    const auto wide = static_cast<float>(cols);
    const std::size_t count = rows * cols;
    constexpr std::size_t at_once = 16 * lanes;  // float32 sums stay short
    for (std::size_t begin = 0; begin < count; begin += at_once) {
      const std::size_t end = begin + at_once < count ? begin + at_once : count;
      Floats total[parts] = {}, x[parts] = {}, y[parts] = {};
      for (std::size_t i = begin; i < end; i += lanes) {
#pragma GCC unroll 2
        for (std::size_t part = 0; part < parts; ++part) {
          const std::size_t first = i + part * W;
          Floats weight;
          load(weight, values + first, first < end ? end - first : 0,
               -std::numeric_limits<float>::infinity());
          weight = (weight - maximum) * temperature;
          exp_not_positive(weight);
          total[part] += weight;
          x[part] += weight * col[part];
          y[part] += weight * row[part];
          col[part] += col_step;
          row[part] += row_step;
          const Ints wraps = col[part] >= wide;
          col[part] -= wraps ? zero + wide : zero;
          row[part] += wraps ? one : zero;
        }
      }
#pragma GCC unroll 2
      for (std::size_t part = 0; part < parts; ++part) {
        for (std::size_t k = 0; k < W; ++k) {
          moments.total += static_cast<double>(total[part][k]);
          moments.x += static_cast<double>(x[part][k]);
          moments.y += static_cast<double>(y[part][k]);
        }
      }
    }
    return moments;
  }
};

}  // namespace homolog::inline v0_1::detail

#undef HOMOLOG_VECTOR_BODY
#endif
