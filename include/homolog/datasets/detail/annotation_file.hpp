// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What all annotation readers share: capped files, lines, whole numbers, names that stay inside
/// the data set's folder, and error texts that stay one line whatever a file holds.

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

#include "homolog/core/detail/strict_json.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/points.hpp"

namespace homolog::inline v0_1::detail {

/// [bytes] cap of a file with one annotation.
inline constexpr std::uintmax_t annotation_bytes = std::uintmax_t{1} << 20;
/// [bytes] cap of a file that lists many pairs.
inline constexpr std::uintmax_t list_bytes = std::uintmax_t{64} << 20;
/// [px] The longest side that the image decoder accepts, so that no coordinate can be larger.
inline constexpr int longest_side = 1 << 14;

/// Throws DatasetError when a data set's folder does not exist.
inline void require_directory(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return;
  throw DatasetError(text(path.string(), std::filesystem::exists(path, error)
                                             ? ": a file, expected the data set's folder"
                                             : ": no such directory"));
}

/// Reads an annotation file whole, with a cap; a leading UTF-8 byte order mark is removed.
inline std::string read_annotation(const std::filesystem::path& path, std::uintmax_t limit) {
  std::string bytes;
  try {
    bytes = read_file(path, limit);
  } catch (const FileError& error) {
    throw DatasetError(error.what());
  }
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
  return bytes;
}

/// Calls `visit(line, number)` for each line that is not blank; "\n" and "\r\n" end a line and the
/// first line has number 1.
///
/// @throws DatasetError when a line is longer than `longest` bytes
template <class Visit>
void for_each_line(std::string_view content, const std::string& name, std::size_t longest,
                   Visit visit) {
  for (std::size_t number = 1; !content.empty(); ++number) {
    const std::size_t end = content.find('\n');
    std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > longest) {
      throw DatasetError(
          text(name, " line ", number, ": ", line.size(), " bytes, the limit is ", longest));
    }
    if (line.find_first_not_of(" \t") != std::string_view::npos) visit(line, number);
  }
}

/// A whole number that fills the text; nothing otherwise.
template <std::integral Number>
std::optional<Number> parse_number(std::string_view digits) {
  Number value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// True for a relative path that stays inside the folder it is relative to.
inline bool is_inside_path(std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    if (component != "." && !is_plain_name(component)) return false;
    if (slash == std::string_view::npos) return component != ".";
    path.remove_prefix(slash + 1);
  }
}

/// Checks that picture files exist, and remembers the result, because a picture belongs to many
/// pairs.
struct PictureCheck {
  std::set<std::string> present;
  /// @throws DatasetError naming the picture and `asker`, the file that refers to it
  void require(const std::filesystem::path& path, const std::string& asker) {
    if (present.contains(path.string())) return;
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
      throw DatasetError(text(asker, ": picture ", path.string(), " is missing"));
    }
    present.insert(path.string());
  }
};

/// Checks coordinates before the picture's size is known: finite, at least 0, and no further out
/// than any picture that can be decoded.
inline void require_plausible(const Points<ImageFrame>& points, const std::string& name,
                              const char* which) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto [x, y] = points[i];
    if (!(x >= 0 && x <= longest_side && y >= 0 && y <= longest_side)) {
      throw PointError(text(name, ": ", which, " keypoint ", i, " is (", x, ", ", y,
                            "), expected coordinates in [0, ", longest_side, "]"));
    }
  }
}

/// `000042-SOURCE-TARGET:CATEGORY`: the form of SPair-71k's names, unique by its number.
inline std::string numbered_pair_name(std::size_t number, const std::filesystem::path& source,
                                      const std::filesystem::path& target,
                                      const std::string& category) {
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < 6 ? 6 - digits.size() : 0, '0');
  return digits + "-" + source.stem().string() + "-" + target.stem().string() + ":" + category;
}

}  // namespace homolog::inline v0_1::detail
