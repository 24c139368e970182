// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of kernels/bfloat16_scan.hpp.

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/detail/lock.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/bfloat16_scan.hpp"
#include "homolog/kernels/detail/dispatch.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/kernels/similarity.hpp"

namespace homolog::inline v0_1 {

namespace detail {

inline float from_bfloat16(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value = 0;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

/// Norm of a row and of what rounding took from it; NaN where the row is not finite.
struct RoundedNorms {
  float norm = 0;
  float error = 0;
};

#if HOMOLOG_X86_KERNELS

/// Rounds a row, zeros behind it up to `stride`. Norms are upper bounds.
inline RoundedNorms round_row(const float* row, std::size_t dim, std::uint16_t* out,
                              std::size_t stride) {
  const auto squares = avx512_bf16::to_bfloat16_with_squares(row, dim, out, stride);
  const auto count = static_cast<float>(dim);
  if (std::isfinite(squares.values)) {
    // What adding `dim` squares in float32 may lose, and squares that are too slack for it.
    const float up = 1 + (count + 32) * std::numeric_limits<float>::epsilon();
    const float slack = std::sqrt(count) * 2e-19F;
    return {std::sqrt(squares.values) * up + slack, std::sqrt(squares.errors) * up + slack};
  }
  double square = 0, error = 0;
  for (std::size_t k = 0; k < dim; ++k) {
    const auto value = static_cast<double>(row[k]);
    const double lost = value - static_cast<double>(from_bfloat16(out[k]));
    square += value * value;
    error += lost * lost;
  }
  if (!std::isfinite(square)) {
    constexpr float none = std::numeric_limits<float>::quiet_NaN();
    return {none, none};
  }
  constexpr double up = 1 + 1e-6;
  return {static_cast<float>(std::sqrt(square) * up), static_cast<float>(std::sqrt(error) * up)};
}

inline void take_larger(RoundedNorms& most, const RoundedNorms& norms) {
  if (std::isnan(norms.norm)) return;  // never an answer
  most.norm = (std::max)(most.norm, norms.norm);
  most.error = (std::max)(most.error, norms.error);
}
#endif

}  // namespace detail

HOMOLOG_INLINE Bfloat16Map to_bfloat16(const FeatureMap& map, InstructionSet set) {
  require_supported(set);
  Bfloat16Map rounded;
  static_cast<void>(map);
  if (!detail::scans_bfloat16(set)) return rounded;
#if HOMOLOG_X86_KERNELS
  const auto cells = static_cast<std::size_t>(map.values.rows());
  const auto dim = static_cast<std::size_t>(map.values.cols());
  rounded.stride = (dim + 31) / 32 * 32;
  rounded.values.resize(cells * rounded.stride);
  detail::RoundedNorms most;
  for (std::size_t c = 0; c < cells; ++c) {
    detail::take_larger(
        most, detail::round_row(map.values.data() + c * dim, dim,
                                rounded.values.data() + c * rounded.stride, rounded.stride));
  }
  rounded.largest_norm = most.norm;
  rounded.largest_error = most.error;
#endif
  return rounded;
}

namespace detail {

#if HOMOLOG_X86_KERNELS

/// Scans the cells [begin, end) of a float32 map that is rounded tile by tile, in `scratch`.
inline RoundedNorms scan_rounding(avx512_bf16::Inputs in, const FeatureMap& map, std::size_t begin,
                                  std::size_t end, std::uint16_t* scratch) {
  constexpr std::size_t tile = 6;
  const auto dim = static_cast<std::size_t>(map.values.cols());
  float* const out = in.out;
  in.cells = scratch;
  RoundedNorms most;
  for (std::size_t c = begin; c < end; c += tile) {
    const std::size_t count = (std::min)(tile, end - c);
    for (std::size_t i = 0; i < count; ++i) {
      take_larger(most, round_row(map.values.data() + (c + i) * dim, dim, scratch + i * in.stride,
                                  in.stride));
    }
    // The next tile travels while this one is worked on.
    const float* const next = map.values.data() + (c + count) * dim;
    const std::size_t ahead = (std::min)(tile, end - c - count) * dim;
    for (std::size_t k = 0; k < ahead; k += 16) __builtin_prefetch(next + k, 0, 2);
    in.out = out + c;
    avx512_bf16::dot_products(in, 0, count);
  }
  return most;
}

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

/// What a scanned dot product may be off by.
inline float scan_bound(const RoundedNorms& query, const RoundedNorms& cells, std::size_t dim) {
  // The instructions take denormal numbers for zeros.
  const float flushed = static_cast<float>(dim) * 4 * (std::numeric_limits<float>::min)();
  const float sums = static_cast<float>(dim) * std::numeric_limits<float>::epsilon() *
                     (query.norm + query.error) * (cells.norm + cells.error);
  return query.error * cells.norm + (query.norm + query.error) * cells.error + 2 * sums + flushed;
}

/// The peak of query `index` in float32, where rounding has no bound: for NaN, or values near the
/// largest float32.
inline Peak unscanned_peak(const float* query, Eigen::Index index, const FeatureMap& target,
                           const Execution& execution) {
  FloatMatrix row;
  KernelWorkspace other;  // the execution's holds the rounded queries
  fill_similarity_rows(MatrixView(query, 1, target.dim()), target, row, execution.alone(other));
  require_finite_rows(row, index, execution);
  return find_peak(SimilarityMap(row.data(), target.rows, target.cols), execution);
}

/// Peaks of up to some hundred queries, `first` being the index of the first.
///
/// @param rounded of `target`, or null to round it on the way
inline void find_peaks_by_scan(MatrixView queries, Eigen::Index first, const FeatureMap& target,
                               const Bfloat16Map* rounded, const Execution& execution,
                               Peak* peaks) {
  const auto dim = static_cast<std::size_t>(target.values.cols()), stride = (dim + 31) / 32 * 32;
  const auto number = static_cast<std::size_t>(queries.rows());
  const int threads = (std::max)(execution.threads, 1);
  KernelWorkspace::Slot* const per_thread = execution.memory().room(threads);
  FloatMatrix& similarity = per_thread->similarity;
  similarity.resize(queries.rows(), target.values.rows());
  const CellRange whole{0, 0, target.cols, target.rows};
  if (target.content != whole) similarity.fill(-std::numeric_limits<float>::infinity());
  // 16-bit rows in the workspace's float32 room, their norms behind them.
  float* const room = per_thread->queries.room(number * (stride / 2 + 2));
  auto* const packed = reinterpret_cast<std::uint16_t*>(room);
  auto* const norms_of = reinterpret_cast<RoundedNorms*>(room + number * stride / 2);
  for (std::size_t q = 0; q < number; ++q) {
    norms_of[q] = round_row(queries.data() + q * dim, dim, packed + q * stride, stride);
  }
  avx512_bf16::Inputs in{packed,
                         number,
                         rounded != nullptr ? rounded->values.data() : nullptr,
                         stride,
                         similarity.data(),
                         static_cast<std::size_t>(similarity.cols())};
  const CellPieces pieces(target, threads == 1 ? 1 : 4 * static_cast<std::size_t>(threads));
  RoundedNorms cells;
  if (rounded != nullptr) cells = {rounded->largest_norm, rounded->largest_error};
  Mutex mutex;
  execution.workers().run(threads, pieces.count(), [&](std::size_t i, std::size_t slot) {
    const auto [begin, end] = pieces[i];
    if (rounded != nullptr) return avx512_bf16::dot_products(in, begin, end);
    auto* const scratch = reinterpret_cast<std::uint16_t*>(per_thread[slot].cells.room(3 * stride));
    const RoundedNorms most = scan_rounding(in, target, begin, end, scratch);
    const Lock lock(mutex);
    take_larger(cells, most);
  });

  constexpr float lowest = -std::numeric_limits<float>::infinity();
  constexpr std::size_t at_once = 8;
  execution.workers().run(
      threads, (number + at_once - 1) / at_once, [&](std::size_t piece, std::size_t) {
        for (std::size_t q = piece * at_once; q < (std::min)((piece + 1) * at_once, number); ++q) {
          const float bound = scan_bound(norms_of[q], cells, dim);
          const auto place = static_cast<Eigen::Index>(q);
          const float* const query = row_of(queries, place);
          peaks[q] = std::isfinite(bound) ? recheck(query, target, row_of(similarity, place), bound)
                                          : unscanned_peak(query, first + place, target, execution);
          if (peaks[q].value == lowest) {
            throw ValueError(
                text("query ", first + place, ": no similarity with the target is finite"));
          }
        }
      });
}
#endif

HOMOLOG_INLINE std::vector<Peak> find_peaks_of(MatrixView queries, const FeatureMap& target,
                                               const Bfloat16Map* rounded,
                                               const Execution& execution) {
  require_supported(execution.instructions);
  require_same_dim(queries, target);
  std::vector<Peak> peaks(static_cast<std::size_t>(queries.rows()));
#if HOMOLOG_X86_KERNELS
  if (scans_bfloat16(execution.instructions) && (rounded == nullptr || rounded->stride > 0)) {
    const Eigen::Index block =
        static_cast<Eigen::Index>(even_block(static_cast<std::size_t>(queries.rows()), 256));
    for (Eigen::Index begin = 0; begin < queries.rows(); begin += block) {
      const Eigen::Index count = (std::min)(block, queries.rows() - begin);
      find_peaks_by_scan(MatrixView(queries.data() + begin * queries.cols(), count, queries.cols()),
                         begin, target, rounded, execution, peaks.data() + begin);
    }
    return peaks;
  }
#endif
  static_cast<void>(rounded);
  in_blocks(
      queries.rows(), execution,
      [&](Eigen::Index begin, Eigen::Index count, const Execution& inner, FloatMatrix& similarity) {
        fill_similarity_rows(
            MatrixView(queries.data() + begin * queries.cols(), count, queries.cols()), target,
            similarity, inner);
        require_finite_rows(similarity, begin, inner);
        for (Eigen::Index i = 0; i < count; ++i) {
          peaks[static_cast<std::size_t>(begin + i)] =
              find_peak(SimilarityMap(row_of(similarity, i), target.rows, target.cols), inner);
        }
      });
  return peaks;
}

}  // namespace detail

HOMOLOG_INLINE std::vector<Peak> find_peaks(MatrixView queries, const FeatureMap& target,
                                            const Bfloat16Map& rounded,
                                            const Execution& execution) {
  const auto stride = static_cast<std::size_t>(target.values.cols() + 31) / 32 * 32;
  if (rounded.stride > 0 &&
      (rounded.stride != stride ||
       rounded.values.size() != static_cast<std::size_t>(target.cells()) * stride)) {
    throw ShapeError(detail::text("find_peaks: ", rounded.values.size(),
                                  " rounded values, expected ", target.cells(), " x ", stride));
  }
  return detail::find_peaks_of(queries, target, &rounded, execution);
}

}  // namespace homolog::inline v0_1
