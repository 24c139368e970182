// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of kernels/peak.hpp.

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <limits>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/detail/dispatch.hpp"
#include "homolog/kernels/peak.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE float largest_finite(const SimilarityMap& map, const Execution& execution) {
  return detail::largest_finite(map.data(), static_cast<std::size_t>(map.size()),
                                execution.instructions);
}

HOMOLOG_INLINE Peak find_peak(const SimilarityMap& map, const Execution& execution) {
  const InstructionSet set = execution.instructions;
  const auto count = static_cast<std::size_t>(map.size());
  const float largest = detail::largest_finite(map.data(), count, set);
  if (largest == -std::numeric_limits<float>::infinity()) {
    throw ValueError(
        detail::text("similarity map [", map.rows(), ", ", map.cols(), "] holds no finite value"));
  }
  const auto index =
      static_cast<Eigen::Index>(detail::first_equal(map.data(), count, largest, set));
  return {index / map.cols(), index % map.cols(), largest};
}

HOMOLOG_INLINE TopTwo find_top_two(const SimilarityMap& map, const Execution& execution) {
  const InstructionSet set = execution.instructions;
  const Peak first = find_peak(map, execution);
  const auto before = static_cast<std::size_t>(first.row * map.cols() + first.col);
  const auto after = static_cast<std::size_t>(map.size()) - before - 1;
  const float* const rest = map.data() + before + 1;
  const float above = detail::largest_finite(map.data(), before, set);
  const float below = detail::largest_finite(rest, after, set);
  constexpr float lowest = -std::numeric_limits<float>::infinity();
  if (above == lowest && below == lowest) return {first, {0, 0, lowest}};
  const std::size_t place = above >= below
                                ? detail::first_equal(map.data(), before, above, set)
                                : before + 1 + detail::first_equal(rest, after, below, set);
  const auto index = static_cast<Eigen::Index>(place);
  return {first, {index / map.cols(), index % map.cols(), (std::max)(above, below)}};
}

}  // namespace homolog::inline v0_1
