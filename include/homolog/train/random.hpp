// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The random order of an epoch. It depends only on the seed and the epoch, so that a resumed run
/// draws the same order as an uninterrupted one, without any stored state.

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "homolog/core/random_stream.hpp"

namespace homolog::inline v0_1 {

/// The numbers 0 to count - 1 in the random order of an epoch (Fisher and Yates).
inline std::vector<std::size_t> shuffled_order(std::size_t count, std::uint64_t seed,
                                               std::uint64_t epoch) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  RandomStream random(seed, {epoch});
  for (std::size_t left = count; left > 1; --left) {
    std::swap(order[left - 1], order[random.below(left)]);
  }
  return order;
}

}  // namespace homolog::inline v0_1
