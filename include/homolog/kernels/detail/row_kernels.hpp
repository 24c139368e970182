// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The loops of matchers over a finished similarity map, for each instruction set.

#include <cstddef>
#include <cstdint>

#include "homolog/core/instruction_set.hpp"
#include "homolog/kernels/detail/row_kernels_portable.hpp"
#include "homolog/kernels/detail/row_kernels_vector.hpp"

#if HOMOLOG_X86_KERNELS

namespace homolog::inline v0_1::detail::avx2 {

#define HOMOLOG_TARGET __attribute__((target("avx2,fma")))
HOMOLOG_TARGET inline float largest_finite(const float* values, std::size_t count) {
  return RowKernels<8>::largest_finite(values, count);
}
HOMOLOG_TARGET inline std::size_t first_equal(const float* values, std::size_t count, float value) {
  return RowKernels<8>::first<false>(values, count, value);
}
HOMOLOG_TARGET inline void take_column_maxima(const float* values, std::size_t count,
                                              std::int32_t row, float* largest,
                                              std::int32_t* rows) {
  RowKernels<8>::take_column_maxima(values, count, row, largest, rows);
}
HOMOLOG_TARGET inline float exponentials(float* values, std::size_t count, float scale) {
  return RowKernels<8>::exponentials(values, count, scale);
}
HOMOLOG_TARGET inline Moments softmax_moments(const float* values, std::size_t rows,
                                              std::size_t cols, float maximum, float temperature) {
  return RowKernels<8>::softmax_moments(values, rows, cols, maximum, temperature);
}
#undef HOMOLOG_TARGET

}  // namespace homolog::inline v0_1::detail::avx2

namespace homolog::inline v0_1::detail::avx512 {

#define HOMOLOG_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
HOMOLOG_TARGET inline float largest_finite(const float* values, std::size_t count) {
  return RowKernels<16>::largest_finite(values, count);
}
HOMOLOG_TARGET inline std::size_t first_equal(const float* values, std::size_t count, float value) {
  return RowKernels<16>::first<false>(values, count, value);
}
HOMOLOG_TARGET inline void take_column_maxima(const float* values, std::size_t count,
                                              std::int32_t row, float* largest,
                                              std::int32_t* rows) {
  RowKernels<16>::take_column_maxima(values, count, row, largest, rows);
}
HOMOLOG_TARGET inline float exponentials(float* values, std::size_t count, float scale) {
  return RowKernels<16>::exponentials(values, count, scale);
}
/// Index of the first element that is at least `least`, or `count`.
HOMOLOG_TARGET inline std::size_t first_at_least(const float* values, std::size_t count,
                                                 float least) {
  return RowKernels<16>::first<true>(values, count, least);
}
HOMOLOG_TARGET inline Moments softmax_moments(const float* values, std::size_t rows,
                                              std::size_t cols, float maximum, float temperature) {
  return RowKernels<16>::softmax_moments(values, rows, cols, maximum, temperature);
}
#undef HOMOLOG_TARGET

}  // namespace homolog::inline v0_1::detail::avx512

#endif
#if HOMOLOG_NEON_KERNELS
namespace homolog::inline v0_1::detail::neon {

inline float largest_finite(const float* values, std::size_t count) {
  return RowKernels<4>::largest_finite(values, count);
}
inline std::size_t first_equal(const float* values, std::size_t count, float value) {
  return RowKernels<4>::first<false>(values, count, value);
}
inline void take_column_maxima(const float* values, std::size_t count, std::int32_t row,
                               float* largest, std::int32_t* rows) {
  RowKernels<4>::take_column_maxima(values, count, row, largest, rows);
}
inline float exponentials(float* values, std::size_t count, float scale) {
  return RowKernels<4>::exponentials(values, count, scale);
}
inline Moments softmax_moments(const float* values, std::size_t rows, std::size_t cols,
                               float maximum, float temperature) {
  return RowKernels<4>::softmax_moments(values, rows, cols, maximum, temperature);
}

}  // namespace homolog::inline v0_1::detail::neon
#endif
