// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The float32 argmax of every query, found by a scan in bfloat16: all cells that the scan's proven
/// error leaves in question are compared again in float32.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/peak.hpp"

namespace homolog::inline v0_1 {

namespace detail {

inline bool scans_bfloat16(InstructionSet set) {
  return HOMOLOG_X86_KERNELS == 1 && set == InstructionSet::avx512_bf16;
}

}  // namespace detail

/// A feature map rounded to bfloat16 for find_peaks(), made once a picture. Empty where the
/// processor has no dot products of bfloat16.
struct Bfloat16Map {
  std::vector<std::uint16_t> values;  ///< [rows*cols, stride] bits, zeros behind each feature
  std::size_t stride = 0;             ///< a multiple of 32
  float largest_norm = 0;             ///< L2 norm of a cell's feature, the largest
  float largest_error = 0;            ///< L2 norm of what rounding took from a feature, the largest
};

/// Rounds a map for find_peaks().
///
/// @param map L2-normalised, or of any scale
/// @throws SettingError for an instruction set that this machine does not have
Bfloat16Map to_bfloat16(const FeatureMap& map, InstructionSet set = active_instruction_set());

namespace detail {

/// find_peaks for both sources of rounded features.
std::vector<Peak> find_peaks_of(MatrixView queries, const FeatureMap& target,
                                const Bfloat16Map* rounded, const Execution& execution);

}  // namespace detail

/// The most similar cell of each query in float32, bit for bit what similarity_rows() and
/// find_peak() give.
///
/// The scan's error of a dot product is at most |q - q'| |c| + |q'| |c - c'| (Cauchy and Schwarz;
/// q', c' rounded) and that of adding D products in float32. Cells within twice that bound of the
/// scan's maximum are compared in float32. Without bfloat16 instructions all cells are.
///
/// @param queries float32 [N,D], of the target's scale; the target is rounded on the way
/// @return [N]
/// @throws ShapeError as similarity_rows; ValueError naming the first query without any finite
/// similarity
inline std::vector<Peak> find_peaks(MatrixView queries, const FeatureMap& target,
                                    const Execution& execution = {}) {
  return detail::find_peaks_of(queries, target, nullptr, execution);
}

/// The same with a map that was rounded before, which pays when queries are few.
///
/// @param rounded of `target`; an empty one is not used
/// @throws ShapeError when `rounded` is not the target's
std::vector<Peak> find_peaks(MatrixView queries, const FeatureMap& target,
                             const Bfloat16Map& rounded, const Execution& execution = {});

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/kernels/detail/bfloat16_scan_inl.hpp"
#endif
