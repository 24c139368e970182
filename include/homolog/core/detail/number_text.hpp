// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Numbers as text that is read back as the same number.

#include <array>
#include <charconv>
#include <string>
#include <system_error>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1::detail {

/// The shortest text that is read back as the same number: 0.05, not 0.050000000000000003.
inline std::string shortest(double value) {
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), error == std::errc{} ? end : digits.data()};
}

}  // namespace homolog::inline v0_1::detail
