// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of core/printable_text.hpp.

#include <cstddef>
#include <string>
#include <string_view>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/detail/requirements.hpp"
#include "homolog/core/printable_text.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Bytes of the UTF-8 character that `bytes` begins with; 0 where it begins with none.
inline std::size_t utf8_character(std::string_view bytes) {
  const auto at = [&](std::size_t k) { return static_cast<unsigned char>(bytes[k]); };
  if (bytes.empty()) return 0;
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead < 0xC2   ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || bytes.size() < length) return 0;
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t k = 2; k < length; ++k) {
    if (at(k) < 0x80 || at(k) > 0xBF) return 0;
  }
  return length;
}

HOMOLOG_INLINE bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = utf8_character(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace detail

HOMOLOG_INLINE std::string printable_text(std::string_view foreign, std::size_t longest) {
  constexpr const char* digits = "0123456789ABCDEF";
  std::string result;
  while (!foreign.empty()) {
    const std::size_t length = detail::utf8_character(foreign);
    const auto byte = static_cast<unsigned char>(foreign.front());
    std::string piece(foreign.substr(0, length > 0 ? length : 1));
    foreign.remove_prefix(piece.size());
    if (longest == whole_text) {
      if (length == 0) piece = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    } else {
      const bool control =
          byte < 0x20 || byte == 0x7F || (piece >= "\xC2\x80" && piece < "\xC2\xA0");
      if (length == 0 || control) piece = "?";
      if (piece.size() > longest - result.size()) return result + "...";
    }
    result += piece;
  }
  return result;
}

}  // namespace homolog::inline v0_1
