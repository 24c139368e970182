// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Parsing JSON that was written by strangers: capped depth, no duplicate keys, error texts that
/// stay one line whatever a file holds.

#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/printable_text.hpp"

namespace homolog::inline v0_1::detail {

using Json = nlohmann::json;

/// Containers within containers that JSON may hold.
inline constexpr int json_depth = 32;

/// Parses one JSON value.
///
/// @param name what the text is called in errors
/// @throws Failure when the text is no JSON, has a key twice or is nested deeper than 32
template <class Failure>
Json parse_strict_json(std::string_view content, const std::string& name) {
  std::vector<std::set<std::string>> keys;  // of each object that is still open
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= json_depth) {
        throw Failure(text(name, ": JSON is nested deeper than ", json_depth));
      }
      if (event == Event::object_start) keys.emplace_back();
    } else if (event == Event::object_end) {
      keys.pop_back();
    } else if (event == Event::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys.back().insert(key).second) {
        throw Failure(text(name, ": JSON has the key '", printable_text(key), "' twice"));
      }
    }
    return true;
  };
  try {
    return Json::parse(content, watch);
  } catch (const Json::exception& error) {
    throw Failure(text(name, ": not valid JSON: ", printable_text(error.what())));
  }
}

}  // namespace homolog::inline v0_1::detail
