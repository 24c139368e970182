// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Random numbers that depend on a seed and on coordinates alone, the same on every machine and
/// without stored state: what is drawn again for the same coordinates is the same.

#include <cstdint>
#include <initializer_list>

#include "homolog/core/mix_bits.hpp"

namespace homolog::inline v0_1 {

/// A stream of numbers that is determined by a seed and some coordinates; the same on every
/// machine.
struct RandomStream {
  /// Starts the stream of these coordinates, such as epoch and pair; their order counts.
  explicit RandomStream(std::uint64_t seed, std::initializer_list<std::uint64_t> coordinates = {})
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
  /// Uniform in low to high, both included, without bias; `low` at most `high`, and `high - low`
  /// within the type.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }

 private:
  std::uint64_t state_;
};

}  // namespace homolog::inline v0_1
