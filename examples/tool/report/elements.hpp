// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tables and charts of a report as values. All text is escaped where a template prints it, never
// here.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tool::report {

// A number with fixed decimals in any locale; a dash for NaN.
std::string fixed(double value, int decimals);

std::string signed_fixed(double value, int decimals);

// 12234 as 12,234.
std::string grouped(std::size_t count);

// "1 pair", "2 pairs".
std::string counted(std::size_t count, std::string_view noun);

// One cell; `kind` holds CSS classes of the style sheet.
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

TableCell number_cell(double value, int decimals = 2, const std::string& kind = {});

TableCell count_cell(std::size_t count);

// One shape of a chart; lengths in units of its view box, y down.
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

// A coordinate of a path or shape: at most two decimals, to keep reports small.
std::string coordinate(double value);

// Path commands through points (x, y).
std::string polyline(const std::vector<std::array<double, 2>>& points);

}  // namespace tool::report
