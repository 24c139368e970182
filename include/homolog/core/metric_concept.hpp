// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The contract of metrics. `require_metric` stops the compilation of any other type with one
/// sentence that names the missing member.

#include <concepts>
#include <span>
#include <vector>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

/// What a metric reads of one scored pair.
struct PairErrors {
  std::vector<double> distances;  ///< [px of the target picture] error of each keypoint
  double threshold_scale = 0;     ///< [px] s of PCK: correct when distance <= alpha * s
};

/// A metric needs at least its call operator:
/// @code
/// struct MyMetric {
///   double operator()(std::span<const homolog::PairErrors> pairs, double alpha) const;
/// };
/// @endcode
/// Returns a fraction in [0, 1] and throws ValueError when there is nothing to average.
template <class M>
concept Metric = requires(const M& metric, std::span<const PairErrors> pairs, double alpha) {
  { metric(pairs, alpha) } -> std::convertible_to<double>;
};

/// Stops compilation with one sentence when `M` is no metric.
template <class M>
constexpr void require_metric() {
  static_assert(Metric<M>,
                "homolog: a Metric needs the member "
                "'double operator()(std::span<const PairErrors> pairs, double alpha) const'");
}

}  // namespace homolog::inline v0_1
