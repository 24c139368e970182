// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One function per kernel, which calls the version for the given instruction set.

#include <cstddef>
#include <cstdint>

#include "homolog/core/instruction_set.hpp"
#include "homolog/kernels/detail/dot_avx2.hpp"
#include "homolog/kernels/detail/dot_avx512.hpp"
#include "homolog/kernels/detail/dot_avx512_bf16.hpp"
#include "homolog/kernels/detail/dot_neon.hpp"
#include "homolog/kernels/detail/dot_portable.hpp"
#include "homolog/kernels/detail/row_kernels.hpp"

namespace homolog::inline v0_1::detail {

/// Dot products with the cells [begin, end).
///
/// @param scratch 6 rows of padded_dim(dim) floats on a cache line, for the caller alone
inline void dot_products(const DotInputs& in, std::size_t begin, std::size_t end, float* scratch,
                         InstructionSet set) {
#if HOMOLOG_X86_KERNELS
  if (includes(set, InstructionSet::avx512)) return avx512::dot_products(in, begin, end, scratch);
  if (set == InstructionSet::avx2) return avx2::dot_products(in, begin, end);
#endif
#if HOMOLOG_NEON_KERNELS
  if (set == InstructionSet::neon) return neon::dot_products(in, begin, end);
#endif
  static_cast<void>(scratch);
  static_cast<void>(set);
  portable::dot_products(in, begin, end);
}

inline float largest_finite(const float* values, std::size_t count, InstructionSet set) {
#if HOMOLOG_X86_KERNELS
  if (includes(set, InstructionSet::avx512)) return avx512::largest_finite(values, count);
  if (set == InstructionSet::avx2) return avx2::largest_finite(values, count);
#endif
#if HOMOLOG_NEON_KERNELS
  if (set == InstructionSet::neon) return neon::largest_finite(values, count);
#endif
  static_cast<void>(set);
  return portable::largest_finite(values, count);
}

inline std::size_t first_equal(const float* values, std::size_t count, float value,
                               InstructionSet set) {
#if HOMOLOG_X86_KERNELS
  if (includes(set, InstructionSet::avx512)) return avx512::first_equal(values, count, value);
  if (set == InstructionSet::avx2) return avx2::first_equal(values, count, value);
#endif
#if HOMOLOG_NEON_KERNELS
  if (set == InstructionSet::neon) return neon::first_equal(values, count, value);
#endif
  static_cast<void>(set);
  return portable::first_equal(values, count, value);
}

inline void take_column_maxima(const float* values, std::size_t count, std::int32_t row,
                               float* largest, std::int32_t* rows, InstructionSet set) {
#if HOMOLOG_X86_KERNELS
  if (includes(set, InstructionSet::avx512)) {
    return avx512::take_column_maxima(values, count, row, largest, rows);
  }
  if (set == InstructionSet::avx2) {
    return avx2::take_column_maxima(values, count, row, largest, rows);
  }
#endif
#if HOMOLOG_NEON_KERNELS
  if (set == InstructionSet::neon) {
    return neon::take_column_maxima(values, count, row, largest, rows);
  }
#endif
  static_cast<void>(set);
  portable::take_column_maxima(values, count, row, largest, rows);
}

inline Moments softmax_moments(const float* values, std::size_t rows, std::size_t cols,
                               float maximum, float temperature, InstructionSet set) {
#if HOMOLOG_X86_KERNELS
  if (includes(set, InstructionSet::avx512)) {
    return avx512::softmax_moments(values, rows, cols, maximum, temperature);
  }
  if (set == InstructionSet::avx2) {
    return avx2::softmax_moments(values, rows, cols, maximum, temperature);
  }
#endif
#if HOMOLOG_NEON_KERNELS
  if (set == InstructionSet::neon) {
    return neon::softmax_moments(values, rows, cols, maximum, temperature);
  }
#endif
  static_cast<void>(set);
  return portable::softmax_moments(values, rows, cols, maximum, temperature);
}

}  // namespace homolog::inline v0_1::detail
