// SPDX-License-Identifier: Apache-2.0
#include "report/elements.hpp"

#include <charconv>
#include <cmath>

namespace tool::report {

std::string fixed(double value, int decimals) {
  if (std::isnan(value)) return "\u2013";
  if (std::isinf(value)) return value < 0 ? "\u2212\u221e" : "\u221e";
  std::array<char, 400> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                          std::abs(value), std::chars_format::fixed, decimals);
  const std::string digits(buffer.data(), end);
  const bool zero = digits.find_first_not_of("0.") == std::string::npos;
  return value < 0 && !zero ? "\u2212" + digits : digits;
}

std::string signed_fixed(double value, int decimals) {
  return (value >= 0 ? "+" : "") + fixed(value, decimals);
}

std::string grouped(std::size_t count) {
  const std::string digits = std::to_string(count);
  std::string result;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) result += ',';
    result += digits[i];
  }
  return result;
}

std::string counted(std::size_t count, std::string_view noun) {
  return grouped(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

TableCell number_cell(double value, int decimals, const std::string& kind) {
  return {fixed(value, decimals), std::string("n ").append(kind)};
}

TableCell count_cell(std::size_t count) { return {grouped(count), "n"}; }

std::string coordinate(double value) {
  std::string digits = fixed(value, 2);
  if (digits.starts_with("\u2212")) digits.replace(0, std::string_view("\u2212").size(), "-");
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) digits.pop_back();
  return digits;
}

std::string polyline(const std::vector<std::array<double, 2>>& points) {
  std::string commands;
  for (const auto& [x, y] : points) {
    commands += commands.empty() ? 'M' : 'L';
    commands += coordinate(x);
    commands += ' ';
    commands += coordinate(y);
  }
  return commands;
}

}  // namespace tool::report
