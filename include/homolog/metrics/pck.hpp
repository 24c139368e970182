// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Percentage of correct keypoints, in its two aggregations. They differ by several points on data
/// whose pairs have different numbers of keypoints; never compare one with the other.

#include <cmath>
#include <cstddef>
#include <span>

#include "homolog/core/errors.hpp"
#include "homolog/core/metric_concept.hpp"

namespace homolog::inline v0_1 {

/// True when `distance` <= `alpha` * `scale` (equation 3), with both lengths in the same unit; a
/// distance that is NaN, infinite or negative is never correct.
inline bool is_correct(double distance, double alpha, double scale) {
  return distance >= 0 && std::isfinite(distance) && distance <= alpha * scale;
}

namespace detail {

/// @throws SettingError unless alpha is positive and finite
inline void require_alpha(double alpha) {
  if (!(alpha > 0) || !std::isfinite(alpha)) {
    throw SettingError(text("PCK: alpha is ", alpha, ", expected a positive finite number"));
  }
}

/// Correct keypoints of pair number `index`.
inline std::size_t count_correct(const PairErrors& pair, double alpha, std::size_t index) {
  if (!(pair.threshold_scale > 0) || !std::isfinite(pair.threshold_scale)) {
    throw ValueError(text("PCK: pair ", index, " has the threshold length ", pair.threshold_scale,
                          ", expected a positive finite number of pixels"));
  }
  std::size_t correct = 0;
  for (const double distance : pair.distances) {
    correct += is_correct(distance, alpha, pair.threshold_scale) ? 1U : 0U;
  }
  return correct;
}

}  // namespace detail

/// PCK per point: correct keypoints of all pairs over keypoints of all pairs (equation 3).
struct PckPerPoint {
  /// Nothing to set.
  struct Setting {};
  Setting setting;  ///< empty, there for uniformity with other policies

  /// @param alpha fraction of each pair's threshold length, > 0
  /// @return fraction in [0, 1]
  /// @throws ValueError when there is no keypoint, or naming a pair whose threshold length is not
  /// positive and finite; SettingError for an alpha that is not positive and finite
  double operator()(std::span<const PairErrors> pairs, double alpha) const {
    detail::require_alpha(alpha);
    std::size_t correct = 0, total = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      correct += detail::count_correct(pairs[i], alpha, i);
      total += pairs[i].distances.size();
    }
    if (total == 0) throw ValueError("PCK per point: there is no keypoint to average over");
    return static_cast<double>(correct) / static_cast<double>(total);
  }
};

/// PCK per image: the fraction of correct keypoints of each pair, then the mean over pairs.
struct PckPerImage {
  /// Nothing to set.
  struct Setting {};
  Setting setting;  ///< empty, there for uniformity with other policies

  /// @param alpha fraction of each pair's threshold length, > 0
  /// @return fraction in [0, 1]
  /// @throws ValueError when there is no pair, or naming a pair without keypoints or whose
  /// threshold length is not positive and finite; SettingError for an alpha that is not positive
  /// and finite
  double operator()(std::span<const PairErrors> pairs, double alpha) const {
    detail::require_alpha(alpha);
    if (pairs.empty()) throw ValueError("PCK per image: there is no pair to average over");
    double sum = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const std::size_t count = pairs[i].distances.size();
      if (count == 0) {
        throw ValueError(detail::text("PCK per image: pair ", i, " has no keypoint"));
      }
      sum += static_cast<double>(detail::count_correct(pairs[i], alpha, i)) /
             static_cast<double>(count);
    }
    return sum / static_cast<double>(pairs.size());
  }
};

}  // namespace homolog::inline v0_1
