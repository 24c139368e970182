// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Numbers as data sets and result files write them, read and written exactly and independent of
/// the locale.

#include <array>
#include <charconv>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// decimal_number() by a stream, for standard libraries whose std::from_chars knows no double.
inline std::optional<double> decimal_number_by_stream(std::string_view digits) {
  std::istringstream stream{std::string(digits)};
  stream.imbue(std::locale::classic());
  double value = 0;
  stream >> std::noskipws >> value;
  if (stream.fail() || stream.peek() != std::istringstream::traits_type::eof()) return std::nullopt;
  return value;
}

}  // namespace detail

/// A decimal number such as -12.5 or 1e-3 that fills the whole text. Nothing for other words, "nan"
/// and "inf" among them, and for numbers beyond the range of double.
inline std::optional<double> decimal_number(std::string_view digits) {
  const bool decimal = digits.find_first_not_of("+-.0123456789Ee") == std::string_view::npos;
  if (!decimal || digits.starts_with('+')) return std::nullopt;
#ifdef __cpp_lib_to_chars
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
#else
  return detail::decimal_number_by_stream(digits);
#endif
}

/// The shortest text that is read back as the same number: 0.05, not 0.050000000000000003.
inline std::string decimal_text(double value) {
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), error == std::errc{} ? end : digits.data()};
}

}  // namespace homolog::inline v0_1
