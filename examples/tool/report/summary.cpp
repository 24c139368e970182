// SPDX-License-Identifier: Apache-2.0
#include "report/summary.hpp"

#include <cmath>
#include <cstddef>

#include "homolog/core/errors.hpp"
#include "homolog/core/printable_text.hpp"
#include "report/elements.hpp"
#include "report/paper_numbers.hpp"
#include "report/read_result.hpp"
#include "report/view.hpp"

namespace tool::report {

using homolog::printable_text;
using homolog::text;

namespace {

// What the terminal shows: a line a result, and the paper's below it.
std::string summary_text(const ReportView& view) {
  constexpr std::size_t name_width = 34, number_width = 8;
  const auto padded = [](const std::string& words, std::size_t width, bool right) {
    std::size_t length = 0;  // characters, not bytes
    for (const char c : words) length += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    const std::string space(width > length ? width - length : 0, ' ');
    return right ? space + words : words + space;
  };
  std::string lines = padded("PCK in percent", name_width, false) + padded("pairs", 7, true);
  for (const char* aggregation : {"p", "i"}) {
    lines += "  |";
    for (const double alpha : view.alphas) {
      lines += padded(text(aggregation, alpha_label(alpha)), number_width, true);
    }
  }
  lines += "   p per point, i per image\n";
  const auto add_row = [&](const std::string& name, std::size_t pairs, const auto& score) {
    lines += padded("   " + name, name_width, false) + padded(grouped(pairs), 7, true);
    for (const Aggregation aggregation : aggregations) {
      lines += "  |";
      for (const double alpha : view.alphas) {
        const double value = score(aggregation, alpha);
        lines += padded(std::isnan(value) ? "-" : fixed(value, 2), number_width, true);
      }
    }
    lines += "\n";
  };
  for (const ReportGroup& group : view.groups) {
    for (const std::size_t i : group.members) {
      lines += printable_text(view.numbered(i), 200) + "\n";
      add_row(printable_text(group.name(), 200), view[i].total.pairs,
              [&](Aggregation aggregation, double alpha) {
                return score_at(view[i].total, aggregation, alpha);
              });
      const auto paper = paper_scores(view[i]);
      if (!paper) continue;
      add_row("paper, " + std::string(paper->place), paper->pairs,
              [&](Aggregation aggregation, double alpha) {
                return paper_at(*paper, aggregation, alpha);
              });
    }
  }
  return lines;
}

}  // namespace

std::string report_summary(const std::vector<ReportResult>& results) {
  return summary_text(make_view(results));
}

}  // namespace tool::report
