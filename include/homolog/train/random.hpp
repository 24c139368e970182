// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Random numbers of training that depend on where it stands alone (seed, epoch, pair), so that a
/// resumed run draws what an uninterrupted one would, without any stored state.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <utility>
#include <vector>

#include "homolog/core/mix_bits.hpp"

namespace homolog::inline v0_1 {

/// A stream of numbers that is determined by a seed and some coordinates; the same on every
/// machine.
struct RandomStream {
  /// Starts the stream of these coordinates, such as epoch and pair; their order counts.
  RandomStream(std::uint64_t seed, std::initializer_list<std::uint64_t> coordinates)
      : state_(mix_bits(seed)) {
    for (const std::uint64_t word : coordinates) {
      state_ = mix_bits(state_ ^ mix_bits(word));
    }
  }

  /// 64 random bits.
  std::uint64_t bits() { return state_ = mix_bits(state_); }
  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in 0 to count - 1, without bias; `count` at least 1.
  std::uint64_t below(std::uint64_t count) {
    const std::uint64_t rest = (0 - count) % count;  // 2^64 modulo count
    std::uint64_t drawn = bits();
    while (drawn < rest) drawn = bits();
    return drawn % count;
  }

 private:
  std::uint64_t state_;
};

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
