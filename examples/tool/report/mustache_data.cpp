// SPDX-License-Identifier: Apache-2.0
#include "report/mustache_data.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tool::report {

namespace {

// A table's head or body; `part` is the name of its element.
MustacheData table_part(const char* part, const std::vector<TableRow>& rows) {
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

}  // namespace

MustacheData mustache_list() { return MustacheData(MustacheData::type::list); }

MustacheData table_data(const Table& table) {
  MustacheData parts = mustache_list();
  parts.push_back(table_part("thead", table.head));
  parts.push_back(table_part("tbody", table.body));
  MustacheData data;
  data.set("label", table.label);
  data.set("parts", parts);
  return data;
}

MustacheData chart_data(const Chart& chart) {
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

}  // namespace tool::report
