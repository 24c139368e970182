// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Comma-separated lists as the PF data sets are published: one header line, no quoting.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/decimal_number.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/datasets/detail/annotation_file.hpp"

namespace homolog::inline v0_1::detail {

inline constexpr std::size_t csv_line_bytes = std::size_t{1} << 20;
inline constexpr std::size_t csv_cells = 10'000'000;

/// One row; the cells view the text that was parsed.
struct CsvRow {
  std::size_t line = 0;  ///< 1-based
  std::vector<std::string_view> cells;
};

/// A header and rows that are all as wide as it.
struct Csv {
  std::vector<std::string_view> header;
  std::vector<CsvRow> rows;
};

inline std::vector<std::string_view> split(std::string_view content, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = content.find(separator);
    parts.push_back(content.substr(0, end));
    if (end == std::string_view::npos) return parts;
    content.remove_prefix(end + 1);
  }
}

/// @param content must outlive the result
/// @throws DatasetError for a row narrower or wider than the header, quotes, or a cap
inline Csv parse_csv(std::string_view content, const std::string& name) {
  if (content.size() > list_bytes) {
    throw DatasetError(text(name, ": ", content.size(), " bytes, the limit is ", list_bytes));
  }
  Csv csv;
  std::size_t cells = 0;
  for_each_line(content, name, csv_line_bytes, [&](std::string_view line, std::size_t number) {
    if (line.find('"') != std::string_view::npos) {
      throw DatasetError(text(name, " line ", number, ": quoted cells are not supported"));
    }
    std::vector<std::string_view> row = split(line, ',');
    cells += row.size();
    if (cells > csv_cells) throw DatasetError(text(name, ": more than ", csv_cells, " cells"));
    if (csv.header.empty()) {
      csv.header = std::move(row);
    } else if (row.size() != csv.header.size()) {
      throw DatasetError(text(name, " line ", number, ": ", row.size(), " values, the header has ",
                              csv.header.size()));
    } else {
      csv.rows.push_back({number, std::move(row)});
    }
  });
  if (csv.header.empty()) throw DatasetError(name + ": no header line");
  return csv;
}

/// A finite number that fills the cell.
inline double csv_number(std::string_view cell, const std::string& where) {
  const auto value = decimal_number(cell);
  if (!value) {
    throw DatasetError(text(where, ": expected a finite number, got '", printable_text(cell), "'"));
  }
  return *value;
}

/// The path of a picture inside the data set.
inline std::string csv_path(std::string_view cell, const std::string& where) {
  if (!is_inside_path(cell)) {
    throw DatasetError(
        text(where, ": expected a path inside the data set, got '", printable_text(cell), "'"));
  }
  return std::string(cell);
}

}  // namespace homolog::inline v0_1::detail
