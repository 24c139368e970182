// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The JSON header of a safetensors file, read event by event: anything that the format does not
/// allow ends the parse at once, so that depth, duplicates and wrong types need no later check.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1::detail {

/// Dimensions a stored tensor may have.
inline constexpr std::size_t tensor_rank_limit = 64;

/// One tensor as the header states it; nothing is checked against the file yet.
struct SafetensorsEntry {
  std::string key;
  DType dtype = DType::f32;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0;  ///< [bytes] from the end of the header
  std::uint64_t end = 0;
};

/// The header's content.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
};

/// Receives nlohmann's SAX events. Each handler that returns false has set `problem`.
class SafetensorsHeaderEvents {
 public:
  SafetensorsHeader header;
  std::string problem;

  bool start_object(std::size_t) {
    if (place_ == Place::start) return go(Place::file);
    if (place_ == Place::metadata_start) return go(Place::metadata);
    if (place_ == Place::entry_start) return go(Place::entry);
    return unexpected("an object");
  }
  bool end_object() {
    if (place_ == Place::entry) {
      if (!seen_dtype_ || !seen_shape_ || !seen_offsets_) {
        return refuse(text("tensor '", entry().key, "' lacks ",
                           !seen_dtype_   ? "dtype"
                           : !seen_shape_ ? "shape"
                                          : "data_offsets"));
      }
    }
    return go(place_ == Place::file ? Place::end : Place::file);
  }
  bool start_array(std::size_t) {
    if (place_ == Place::shape_start) return go(Place::shape);
    if (place_ == Place::offsets_start) return go(Place::offsets);
    return unexpected("an array");
  }
  bool end_array() {
    if (place_ == Place::offsets && offsets_ != 2) {
      return refuse(text("tensor '", entry().key, "': data_offsets holds ", offsets_,
                         " numbers, expected 2"));
    }
    return go(Place::entry);
  }
  bool key(std::string& name) {
    if (place_ == Place::file) return file_key(name);
    if (place_ == Place::metadata) {
      if (header.metadata.contains(name)) {
        return refuse(text("duplicate key '", name, "' in __metadata__"));
      }
      metadata_key_ = name;
      return go(Place::metadata_value);
    }
    return entry_key(name);
  }
  bool string(std::string& value) {
    if (place_ == Place::metadata_value) {
      header.metadata.emplace(metadata_key_, value);
      return go(Place::metadata);
    }
    if (place_ != Place::dtype) return unexpected("a string");
    const auto dtype = dtype_from_name(value);
    if (!dtype) {
      return refuse(text("tensor '", entry().key, "': unknown or unsupported dtype '",
                         value.substr(0, 40), "'"));
    }
    entry().dtype = *dtype;
    return go(Place::entry);
  }
  bool number_unsigned(std::uint64_t value) {
    if (place_ == Place::shape) {
      if (entry().shape.size() == tensor_rank_limit) {
        return refuse(
            text("tensor '", entry().key, "' has more than ", tensor_rank_limit, " dimensions"));
      }
      entry().shape.push_back(value);
      return true;
    }
    if (place_ == Place::offsets) {
      if (offsets_ < 2) (offsets_ == 0 ? entry().begin : entry().end) = value;
      ++offsets_;
      return true;
    }
    return unexpected("a number");
  }
  bool number_integer(std::int64_t) { return unexpected("a negative number"); }
  bool number_float(double, const std::string&) {
    return unexpected("a number that is no unsigned 64-bit integer");
  }
  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("a boolean"); }
  bool binary(nlohmann::json::binary_t&) { return unexpected("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const std::exception&) {
    return refuse(text("not JSON at byte ", position, " of the header"));
  }

 private:
  enum class Place {
    start,
    file,
    metadata_start,
    metadata,
    metadata_value,
    entry_start,
    entry,
    dtype,
    shape_start,
    shape,
    offsets_start,
    offsets,
    end
  };

  SafetensorsEntry& entry() { return header.entries.back(); }
  bool go(Place place) {
    place_ = place;
    return true;
  }
  bool refuse(std::string reason) {
    problem = std::move(reason);
    return false;
  }
  bool unexpected(const char* what) {
    static constexpr const char* expected[] = {"an object",
                                               "a key",
                                               "an object of strings",
                                               "a key",
                                               "a string",
                                               "an object",
                                               "a key",
                                               "a dtype name",
                                               "an array",
                                               "an unsigned number",
                                               "an array",
                                               "two offsets",
                                               "the end"};
    const bool in_entry = place_ >= Place::entry_start && place_ <= Place::offsets;
    const bool in_metadata = place_ >= Place::metadata_start && place_ <= Place::metadata_value;
    return refuse(text(in_entry      ? "tensor '" + entry().key + "': "
                       : in_metadata ? std::string("__metadata__: ")
                                     : std::string(),
                       "expected ", expected[static_cast<std::size_t>(place_)], ", got ", what));
  }
  bool file_key(const std::string& name) {
    if (!keys_.insert(name).second) return refuse(text("duplicate key '", name, "'"));
    if (name == "__metadata__") return go(Place::metadata_start);
    header.entries.push_back({name, DType::f32, {}, 0, 0});
    seen_dtype_ = seen_shape_ = seen_offsets_ = false;
    offsets_ = 0;
    return go(Place::entry_start);
  }
  bool entry_key(const std::string& name) {
    const auto once = [&](bool& seen, Place place) {
      if (seen) return refuse(text("tensor '", entry().key, "': duplicate key '", name, "'"));
      seen = true;
      return go(place);
    };
    if (name == "dtype") return once(seen_dtype_, Place::dtype);
    if (name == "shape") return once(seen_shape_, Place::shape_start);
    if (name == "data_offsets") return once(seen_offsets_, Place::offsets_start);
    return refuse(text("tensor '", entry().key, "': unknown key '", name.substr(0, 40), "'"));
  }

  Place place_ = Place::start;
  bool seen_dtype_ = false, seen_shape_ = false, seen_offsets_ = false;
  int offsets_ = 0;
  std::string metadata_key_;
  std::set<std::string> keys_;
};

/// Parses the header's text.
///
/// @throws WeightsError that names the file and the entry at fault
inline SafetensorsHeader parse_safetensors_header(std::string_view json, const std::string& name) {
  if (!is_utf8(json)) throw WeightsError(text(name, ": the header is not valid UTF-8"));
  // The parser would take a zero byte for the end of its input and skip a byte order mark.
  const auto first = json.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || json[first] != '{') {
    throw WeightsError(text(name, ": the header does not start with '{'"));
  }
  if (json.find('\0') != std::string_view::npos) {
    throw WeightsError(text(name, ": the header is not JSON: it holds a zero byte"));
  }
  SafetensorsHeaderEvents events;
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &events)) {
    throw WeightsError(text(name, ": the header is malformed: ", events.problem));
  }
  return std::move(events.header);
}

}  // namespace homolog::inline v0_1::detail
