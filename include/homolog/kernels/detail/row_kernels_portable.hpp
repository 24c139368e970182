// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The loops of matchers over a finished similarity map, for any processor: its largest value, and
/// expected positions under a softmax.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1::detail {

/// Weighted sums of positions.
struct Moments {
  double total = 0;
  double x = 0;
  double y = 0;
};

namespace portable {

/// Largest finite value, -infinity where there is none.
inline float largest_finite(const float* values, std::size_t count) {
  float largest = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < count; ++i) {
    // Both comparisons are false for NaN, the second one for +infinity.
    if (values[i] > largest && values[i] <= (std::numeric_limits<float>::max)())
      largest = values[i];
  }
  return largest;
}

/// Index of the first element that equals `value`, or `count`.
inline std::size_t first_equal(const float* values, std::size_t count, float value) {
  std::size_t i = 0;
  while (i < count && values[i] != value) ++i;
  return i;
}

/// Moments of the weights exp(temperature * (value - maximum)) of a map; none where a value is not
/// finite. Weights are float32, their sums float64.
inline Moments softmax_moments(const float* values, std::size_t rows, std::size_t cols,
                               float maximum, float temperature) {
  Moments moments;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t col = 0; col < cols; ++col) {
      const float value = values[row * cols + col];
      if (!std::isfinite(value)) continue;
      const auto weight = static_cast<double>(std::exp(temperature * (value - maximum)));
      moments.total += weight;
      moments.x += weight * static_cast<double>(col);
      moments.y += weight * static_cast<double>(row);
    }
  }
  return moments;
}

/// Updates the largest value of each column and the row where it is, wherever a value of this row
/// exceeds it; NaN and infinities never count.
inline void take_column_maxima(const float* values, std::size_t count, std::int32_t row,
                               float* largest, std::int32_t* rows) {
  for (std::size_t i = 0; i < count; ++i) {
    if (values[i] > largest[i] && values[i] <= (std::numeric_limits<float>::max)()) {
      largest[i] = values[i];
      rows[i] = row;
    }
  }
}

/// Turns values into exp(scale * (value - largest)), 0 for NaN; returns their sum.
inline float exponentials(float* values, std::size_t count, float scale) {
  const float maximum = largest_finite(values, count);
  float total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float weight = std::exp(scale * (values[i] - maximum));
    values[i] = weight <= 1.0F ? weight : 0;
    total += values[i];
  }
  return total;
}

}  // namespace portable
}  // namespace homolog::inline v0_1::detail
