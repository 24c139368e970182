// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The float32 argmax of every query, found by a scan in bfloat16: all cells that the scan's proven
/// error leaves in question are compared again in float32.

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/kernels/similarity.hpp"
#include "homolog/kernels/workspace.hpp"

namespace homolog {

/// A feature map rounded to bfloat16 for find_peaks(), made once a picture. Empty where the
/// processor has no dot products of bfloat16.
struct Bfloat16Map {
  std::vector<std::uint16_t> values;  ///< [rows*cols, stride] bits, zeros behind each feature
  std::size_t stride = 0;             ///< a multiple of 32
  float largest_norm = 0;             ///< L2 norm of a cell's feature, the largest
  float largest_error = 0;            ///< L2 norm of what rounding took from a feature, the largest
};

namespace detail {

inline float from_bfloat16(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value = 0;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

/// Norm of a row and of what rounding took from it; not finite where the row is not.
struct RoundedNorms {
  float norm = 0;
  float error = 0;
};

inline RoundedNorms rounded_norms(const float* row, const std::uint16_t* rounded, std::size_t dim) {
  double square = 0, error = 0;
  for (std::size_t k = 0; k < dim; ++k) {
    const auto value = static_cast<double>(row[k]);
    const double lost = value - static_cast<double>(from_bfloat16(rounded[k]));
    square += value * value;
    error += lost * lost;
  }
  // Upwards, so that the bound stays one in float32.
  constexpr double up = 1 + 1e-6;
  return {static_cast<float>(std::sqrt(square) * up), static_cast<float>(std::sqrt(error) * up)};
}

inline bool scans_bfloat16(InstructionSet set) {
  return HOMOLOG_X86_KERNELS == 1 && set == InstructionSet::avx512_bf16;
}

}  // namespace detail

/// Rounds a map for find_peaks().
///
/// @param map L2-normalised, or of any scale
inline Bfloat16Map to_bfloat16(const FeatureMap& map, InstructionSet set = best_instruction_set()) {
  Bfloat16Map result;
  if (!detail::scans_bfloat16(set)) return result;
#if HOMOLOG_X86_KERNELS
  const auto cells = static_cast<std::size_t>(map.values.rows());
  const auto dim = static_cast<std::size_t>(map.values.cols());
  result.stride = (dim + 31) / 32 * 32;
  result.values.resize(cells * result.stride);
  for (std::size_t c = 0; c < cells; ++c) {
    const float* row = map.values.data() + c * dim;
    std::uint16_t* rounded = result.values.data() + c * result.stride;
    detail::avx512_bf16::to_bfloat16(row, dim, rounded, result.stride);
    const auto norms = detail::rounded_norms(row, rounded, dim);
    if (!std::isfinite(norms.norm)) continue;  // never an answer
    result.largest_norm = std::max(result.largest_norm, norms.norm);
    result.largest_error = std::max(result.largest_error, norms.error);
  }
#endif
  return result;
}

namespace detail {

#if HOMOLOG_X86_KERNELS
/// The largest float32 similarity among the cells that a scan leaves in question; lowest index of
/// equal ones.
inline Peak recheck(const float* query, const FeatureMap& target, const float* scanned,
                    float bound) {
  const auto cells = static_cast<std::size_t>(target.values.rows());
  const auto dim = static_cast<std::size_t>(target.values.cols());
  constexpr auto set = InstructionSet::avx512;
  constexpr float lowest = -std::numeric_limits<float>::infinity();
  const float largest = largest_finite(scanned, cells, set);
  Peak peak{0, 0, lowest};
  if (largest == lowest) return peak;
  const float least = largest - 2 * bound;
  for (std::size_t c = 0; c < cells;) {
    c += avx512::first_at_least(scanned + c, cells - c, least);
    if (c >= cells) break;
    const float value =
        finite_or_minus_infinity(avx512::dot(query, target.values.data() + c * dim, dim));
    if (value > peak.value) {
      const auto place = static_cast<Eigen::Index>(c);
      peak = {place / target.cols, place % target.cols, value};
    }
    ++c;
  }
  return peak;
}
#endif

}  // namespace detail

/// The most similar cell of each query in float32, bit for bit what similarity_rows() and
/// find_peak() give.
///
/// The scan's error of a dot product is at most |q - q'| |c| + |q'| |c - c'| (Cauchy and Schwarz;
/// q', c' rounded) and that of adding D products in float32. Cells within twice that bound of the
/// scan's maximum are compared in float32. Without bfloat16 instructions, or with an empty
/// `rounded`, all cells are.
///
/// @param queries float32 [N,D], of the target's scale
/// @param rounded of `target`
/// @return [N]
/// @throws ShapeError as similarity_rows, or when `rounded` is not the target's; ValueError naming
/// the first query without any finite similarity
inline std::vector<Peak> find_peaks(DescriptorView queries, const FeatureMap& target,
                                    const Bfloat16Map& rounded, const KernelSetting& setting = {},
                                    KernelWorkspace& workspace = thread_workspace()) {
  detail::require_same_dim(queries, target);
  std::vector<Peak> peaks(static_cast<std::size_t>(queries.rows()));
  const bool scan = detail::scans_bfloat16(setting.instructions) && rounded.stride > 0;
  const auto dim = static_cast<std::size_t>(target.values.cols());
  if (scan &&
      (rounded.stride != (dim + 31) / 32 * 32 ||
       rounded.values.size() != static_cast<std::size_t>(target.cells()) * rounded.stride)) {
    throw ShapeError(detail::text("find_peaks: ", rounded.values.size(),
                                  " rounded values, expected ", target.cells(), " x ",
                                  (dim + 31) / 32 * 32));
  }
  const auto find_rows = [&](Eigen::Index begin, Eigen::Index count, const KernelSetting& inner,
                             KernelWorkspace& own, FloatMatrix& similarity) {
    const DescriptorView rows(queries.data() + begin * queries.cols(), count, queries.cols());
    if (!scan) {
      detail::fill_similarity_rows(rows, target, similarity, inner, own);
      detail::require_finite_rows(similarity, begin);
      for (Eigen::Index i = 0; i < count; ++i) {
        peaks[static_cast<std::size_t>(begin + i)] =
            find_peak(SimilarityMap(similarity.row(i).data(), target.rows, target.cols));
      }
      return;
    }
#if HOMOLOG_X86_KERNELS
    similarity.resize(count, target.values.rows());
    const CellRange whole{0, 0, target.cols, target.rows};
    if (target.content != whole) similarity.setConstant(-std::numeric_limits<float>::infinity());
    // 16-bit rows in the workspace's float32 room.
    const auto number = static_cast<std::size_t>(count);
    auto* const packed =
        reinterpret_cast<std::uint16_t*>(own.room(1)->queries.room(number * rounded.stride / 2));
    for (std::size_t q = 0; q < number; ++q) {
      detail::avx512_bf16::to_bfloat16(rows.data() + q * dim, dim, packed + q * rounded.stride,
                                       rounded.stride);
    }
    const detail::avx512_bf16::Inputs in{packed,
                                         number,
                                         rounded.values.data(),
                                         rounded.stride,
                                         similarity.data(),
                                         static_cast<std::size_t>(similarity.cols())};
    const int threads = std::max(inner.threads, 1);
    const detail::CellPieces pieces(target,
                                    threads == 1 ? 1 : 4 * static_cast<std::size_t>(threads));
    detail::worker_pool().run(threads, pieces.count(), [&](std::size_t i, std::size_t) {
      const auto [first, last] = pieces[i];
      detail::avx512_bf16::dot_products(in, first, last);
    });
    // The instructions take denormal numbers for zeros.
    const float flushed = static_cast<float>(dim) * 4 * std::numeric_limits<float>::min();
    for (std::size_t q = 0; q < number; ++q) {
      const float* row = rows.data() + q * dim;
      const auto norms = detail::rounded_norms(row, packed + q * rounded.stride, dim);
      const float sums = static_cast<float>(dim) * std::numeric_limits<float>::epsilon() *
                         (norms.norm + norms.error) *
                         (rounded.largest_norm + rounded.largest_error);
      const float bound = norms.error * rounded.largest_norm +
                          (norms.norm + norms.error) * rounded.largest_error + 2 * sums + flushed;
      const auto place = static_cast<Eigen::Index>(q);
      Peak& peak = peaks[static_cast<std::size_t>(begin + place)];
      if (!std::isfinite(bound)) {  // NaN, or values near the largest float32
        FloatMatrix whole_row;
        KernelWorkspace other;  // `own` holds the rounded queries
        detail::fill_similarity_rows(DescriptorView(row, 1, queries.cols()), target, whole_row,
                                     {1, setting.instructions}, other);
        detail::require_finite_rows(whole_row, begin + place);
        peak = find_peak(SimilarityMap(whole_row.data(), target.rows, target.cols));
        continue;
      }
      peak = detail::recheck(row, target, similarity.row(place).data(), bound);
      if (peak.value == -std::numeric_limits<float>::infinity()) {
        throw ValueError(
            detail::text("query ", begin + place, ": no similarity with the target is finite"));
      }
    }
#endif
  };
  detail::in_blocks(queries.rows(), setting, workspace, find_rows);
  return peaks;
}

}  // namespace homolog
