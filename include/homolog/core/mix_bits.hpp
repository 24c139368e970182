// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Random bits, the same on every machine and without the header `random`, which takes long to
/// compile.

#include <cstdint>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

/// splitmix64 (Steele, Lea, Flood 2014): a 64-bit counter through a mixing function.
inline std::uint64_t mix_bits(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31);
}

}  // namespace homolog::inline v0_1
