// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// JSON that was written by strangers: capped size and depth, no duplicate keys, and typed access
/// whose errors name the file and the key.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "homolog/core/detail/strict_json.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/datasets/detail/annotation_file.hpp"

namespace homolog::inline v0_1::detail {

/// Parses one JSON value of a data set.
///
/// @param name what the text is called in errors
/// @throws DatasetError when the text is no JSON, has a key twice or is nested deeper than 32
inline Json parse_json(std::string_view content, const std::string& name) {
  return parse_strict_json<DatasetError>(content, name);
}

/// A JSON value and the words that lead to it, such as `a.json: 'src_kps'[3]`.
struct JsonField {
  const Json& value;
  std::string where;

  [[noreturn]] void fail(const std::string& expected) const {
    const std::string got = value.is_structured() ? text(value.type_name(), " of ", value.size())
                                                  : printable_text(value.dump(-1, ' ', true));
    throw DatasetError(text(where, ": expected ", expected, ", got ", got));
  }

  bool has(const char* key) const { return value.is_object() && value.contains(key); }

  JsonField at(const char* key) const {
    if (!value.is_object()) fail("an object");
    const auto found = value.find(key);
    if (found == value.end()) {
      throw DatasetError(text(where, ": the key '", key, "' is missing"));
    }
    return {*found, text(where, ": '", key, "'")};
  }

  JsonField at(std::size_t index) const { return {value[index], text(where, "[", index, "]")}; }

  const std::string& string() const {
    if (!value.is_string()) fail("a string");
    return value.get_ref<const std::string&>();
  }

  /// A string that is one component of a path.
  const std::string& plain_name() const {
    const std::string& name = string();
    if (!is_plain_name(name)) fail("a name without '/', '\\', '..' or control characters");
    return name;
  }

  int integer(int low, int high) const {
    const auto inside = [&](auto number) { return number >= low && number <= high; };
    const bool fits = value.is_number_unsigned()
                          ? value.get<std::uint64_t>() <= std::uint64_t{0x7fffffff} &&
                                inside(value.get<std::int64_t>())
                          : value.is_number_integer() && inside(value.get<std::int64_t>());
    if (!fits) fail(text("an integer in [", low, ", ", high, "]"));
    return value.get<int>();
  }

  double number() const {
    if (!value.is_number() || !std::isfinite(value.get<double>())) fail("a finite number");
    return value.get<double>();
  }

  /// The number of elements of an array; `expected` of them unless that is -1.
  std::size_t array(std::ptrdiff_t expected = -1) const {
    if (!value.is_array()) fail("an array");
    if (expected >= 0 && value.size() != static_cast<std::size_t>(expected)) {
      fail(text("an array of ", expected));
    }
    return value.size();
  }

  Point<ImageFrame> point() const {
    array(2);
    return {at(std::size_t{0}).number(), at(std::size_t{1}).number()};
  }

  /// [N,2] numbers, N >= 1.
  Points<ImageFrame> points() const {
    const std::size_t count = array();
    if (count == 0) fail("at least one keypoint");
    Points<ImageFrame> result(count);
    for (std::size_t i = 0; i < count; ++i) result[i] = at(i).point();
    return result;
  }

  /// [x1, y1, x2, y2] with x1 < x2 and y1 < y2.
  Box<ImageFrame> box() const {
    array(4);
    Box<ImageFrame> result;
    double* corners[] = {&result.x1, &result.y1, &result.x2, &result.y2};
    for (std::size_t i = 0; i < 4; ++i) *corners[i] = at(i).number();
    if (!(result.x1 < result.x2 && result.y1 < result.y2)) {
      throw DatasetError(text(where, ": expected a box with x1 < x2 and y1 < y2, got [", result.x1,
                              ", ", result.y1, ", ", result.x2, ", ", result.y2, "]"));
    }
    return result;
  }
};

}  // namespace homolog::inline v0_1::detail
