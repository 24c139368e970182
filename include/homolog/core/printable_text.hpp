// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Text that others wrote, such as names and keys, as a message or a file of ours may hold it.

#include <cstddef>
#include <string>
#include <string_view>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// True for UTF-8 without overlong forms, surrogates or values above U+10FFFF.
bool is_utf8(std::string_view bytes);

}  // namespace detail

/// The value of `longest` in printable_text() for text that goes into a file: no limit.
inline constexpr std::size_t whole_text = std::string_view::npos;

/// Foreign text as UTF-8, whatever its bytes are.
///
/// A message gets one line of it: "?" stands for each control character and each byte that is no
/// UTF-8, and "..." for the rest of a long text. With `whole_text` nothing is lost: `\xE9` stands
/// for a byte that is no UTF-8, so that different names stay different, and control characters are
/// kept, because formats such as JSON escape them.
///
/// @param longest [bytes] of a message
std::string printable_text(std::string_view foreign, std::size_t longest = 120);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/core/detail/printable_text_inl.hpp"
#endif
