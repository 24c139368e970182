// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// JSON as text, whatever the names in it are.

#include <nlohmann/json.hpp>
#include <string>

#include "homolog/core/detail/requirements.hpp"
#include "homolog/core/printable_text.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// The same JSON with all its texts and keys as UTF-8, see printable_text().
inline nlohmann::ordered_json with_utf8(const nlohmann::ordered_json& json) {
  if (json.is_string()) return printable_text(json.get_ref<const std::string&>(), whole_text);
  if (json.is_array()) {
    auto result = nlohmann::ordered_json::array();
    for (const auto& value : json) result.push_back(with_utf8(value));
    return result;
  }
  if (json.is_object()) {
    auto result = nlohmann::ordered_json::object();
    for (const auto& [key, value] : json.items()) {
      result[printable_text(key, whole_text)] = with_utf8(value);
    }
    return result;
  }
  return json;
}

}  // namespace detail

/// The text of a JSON value. JSON must be UTF-8, but file names on Linux need not be: a byte that
/// is not UTF-8 is written as `\xE9`, where dump() alone would throw and the results would be lost.
///
/// @param indent spaces a level; -1 for one line
inline std::string json_text(const nlohmann::ordered_json& json, int indent = -1) {
  try {
    return json.dump(indent);
  } catch (const nlohmann::ordered_json::type_error&) {
    return detail::with_utf8(json).dump(indent);
  }
}

}  // namespace homolog::inline v0_1
