// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Tables and charts of a report as values, and as what its templates are filled with. All text is
/// escaped where a template prints it, never here.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <kainjow/mustache.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1::detail {

using MustacheData = kainjow::mustache::data;

inline MustacheData mustache_list() { return MustacheData(MustacheData::type::list); }

/// A number with fixed decimals in any locale; a dash for NaN.
inline std::string fixed(double value, int decimals) {
  if (std::isnan(value)) return "\u2013";
  if (std::isinf(value)) return value < 0 ? "\u2212\u221e" : "\u221e";
  std::array<char, 400> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                          std::abs(value), std::chars_format::fixed, decimals);
  const std::string digits(buffer.data(), end);
  const bool zero = digits.find_first_not_of("0.") == std::string::npos;
  return value < 0 && !zero ? "\u2212" + digits : digits;
}

inline std::string signed_fixed(double value, int decimals) {
  return (value >= 0 ? "+" : "") + fixed(value, decimals);
}

/// 12234 as 12,234.
inline std::string grouped(std::size_t count) {
  const std::string digits = std::to_string(count);
  std::string result;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) result += ',';
    result += digits[i];
  }
  return result;
}

/// "1 pair", "2 pairs".
inline std::string counted(std::size_t count, std::string_view noun) {
  return grouped(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

/// One cell; `kind` holds CSS classes of the style sheet.
struct TableCell {
  std::string text = {};
  std::string kind = {};
  std::string note = {};  // small, below the text
  std::size_t span = 1;
};

struct TableRow {
  std::vector<TableCell> cells = {};  // in the body, the first one heads the row
  std::string kind = {};
};

struct Table {
  std::string label;  // read out by screen readers
  std::vector<TableRow> head;
  std::vector<TableRow> body;
};

inline TableCell number_cell(double value, int decimals = 2, const std::string& kind = {}) {
  return {fixed(value, decimals), std::string("n ").append(kind)};
}

inline TableCell count_cell(std::size_t count) { return {grouped(count), "n"}; }

/// A table's head or body; `part` is the name of its element.
inline MustacheData table_part(const char* part, const std::vector<TableRow>& rows) {
  const bool head = std::string_view(part) == "thead";
  MustacheData list = mustache_list();
  for (const TableRow& row : rows) {
    MustacheData cells = mustache_list();
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const TableCell& cell = row.cells[i];
      const bool heading = head || i == 0;
      const char* scope = !head ? "row" : cell.span > 1 ? "colgroup" : "col";
      MustacheData data;
      data.set("text", cell.text);
      data.set("kind", cell.kind);
      data.set("note", cell.note.empty() ? MustacheData(false) : MustacheData(cell.note));
      data.set("span", std::to_string(cell.span));
      data.set("group", MustacheData(cell.span > 1));
      data.set("tag", heading ? "th" : "td");
      data.set("scope", heading ? MustacheData(scope) : MustacheData(false));
      cells.push_back(data);
    }
    MustacheData data;
    data.set("cells", cells);
    data.set("row_kind", row.kind);
    list.push_back(data);
  }
  MustacheData data;
  data.set("part", part);
  data.set("rows", list);
  return data;
}

inline MustacheData table_data(const Table& table) {
  MustacheData parts = mustache_list();
  parts.push_back(table_part("thead", table.head));
  parts.push_back(table_part("tbody", table.body));
  MustacheData data;
  data.set("label", table.label);
  data.set("parts", parts);
  return data;
}

/// One shape of a chart; lengths in units of its view box, y down.
struct ChartShape {
  enum class Type { line, box, path, disc, text } type;
  std::array<double, 4> at{};  // line: x1 y1 x2 y2; box: x y width height; disc: x y r; text: x y
  std::string kind;            // CSS classes
  std::string text = {};       // a text's content, a path's commands
  std::string hint = {};       // shown when pointed at
};

struct Chart {
  std::string label;  // what the chart shows, in a sentence
  double width = 360, height = 230;
  std::vector<ChartShape> shapes = {};

  void line(double x1, double y1, double x2, double y2, const std::string& kind) {
    shapes.push_back({ChartShape::Type::line, {x1, y1, x2, y2}, kind});
  }
  void box(double x, double y, double w, double h, const std::string& kind,
           const std::string& hint) {
    shapes.push_back({ChartShape::Type::box, {x, y, w, h}, kind, {}, hint});
  }
  void path(const std::string& commands, const std::string& kind) {
    shapes.push_back({ChartShape::Type::path, {}, kind, commands});
  }
  void disc(double x, double y, double radius, const std::string& kind, const std::string& hint) {
    shapes.push_back({ChartShape::Type::disc, {x, y, radius, 0}, kind, {}, hint});
  }
  void write(double x, double y, const std::string& words, const std::string& kind) {
    shapes.push_back({ChartShape::Type::text, {x, y, 0, 0}, kind, words});
  }
};

/// A coordinate of a path or shape: at most two decimals, to keep reports small.
inline std::string coordinate(double value) {
  std::string digits = fixed(value, 2);
  if (digits.starts_with("\u2212")) digits.replace(0, std::string_view("\u2212").size(), "-");
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) digits.pop_back();
  return digits;
}

/// Path commands through points (x, y).
inline std::string polyline(const std::vector<std::array<double, 2>>& points) {
  std::string commands;
  for (const auto& [x, y] : points) {
    commands += commands.empty() ? 'M' : 'L';
    commands += coordinate(x);
    commands += ' ';
    commands += coordinate(y);
  }
  return commands;
}

inline MustacheData chart_data(const Chart& chart) {
  constexpr std::array names{"is_line", "is_box", "is_path", "is_disc", "is_text"};
  MustacheData list = mustache_list();
  for (const ChartShape& shape : chart.shapes) {
    MustacheData data;
    for (std::size_t i = 0; i < names.size(); ++i) {
      data.set(names[i], MustacheData(static_cast<std::size_t>(shape.type) == i));
    }
    constexpr std::array keys{"a", "b", "c", "d"};
    for (std::size_t i = 0; i < keys.size(); ++i) data.set(keys[i], coordinate(shape.at[i]));
    data.set("kind", shape.kind);
    data.set("words", shape.text);
    data.set("hint", shape.hint.empty() ? MustacheData(false) : MustacheData(shape.hint));
    list.push_back(data);
  }
  MustacheData data;
  data.set("label", chart.label);
  data.set("width", coordinate(chart.width));
  data.set("height", coordinate(chart.height));
  data.set("shapes", list);
  return data;
}

}  // namespace homolog::inline v0_1::detail
