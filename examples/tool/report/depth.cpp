// SPDX-License-Identifier: Apache-2.0
#include "report/depth.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>

#include "homolog/core/errors.hpp"
#include "report/charts.hpp"

namespace tool::report {

using homolog::text;

namespace {

Spread depth_spread(const ReportView& view, const std::vector<std::size_t>& runs,
                    Aggregation aggregation, double alpha) {
  std::vector<double> scores;
  for (const std::size_t i : runs) {
    const double score = score_at(view[i].total, aggregation, alpha);
    if (!std::isnan(score)) scores.push_back(score);
  }
  return spread_of(scores);
}

TableCell spread_cell(const Spread& spread, const std::string& kind) {
  TableCell cell = number_cell(spread.mean, 2, kind);
  if (spread.count > 1) cell.note = fixed(spread.low, 2) + " to " + fixed(spread.high, 2);
  return cell;
}

// A range of percent around some scores, in multiples of 20 so that grid lines end it.
std::pair<double, double> percent_range(double low, double high) {
  const double bottom = std::clamp(20 * std::floor((low - 2) / 20), 0.0, 80.0);
  return {bottom, std::clamp(20 * std::ceil((high + 2) / 20), bottom + 20, 100.0)};
}

}  // namespace

std::vector<DepthStudy> depth_studies(const ReportView& view) {
  const auto evaluated = [](const ReportResult& result) {
    return joined_key(result.dataset, result.split, result.threshold, result.image_size,
                      result.total.pairs, method_key(result));
  };
  std::vector<std::pair<std::string, DepthStudy>> studies;
  for (std::size_t i = 0; i < view.results.size(); ++i) {
    const ReportResult& result = view[i];
    if (!result.tuning || result.tuning->unfreeze < 1) continue;
    const std::string key = evaluated(result) + recipe_key(*result.tuning);
    auto study = std::ranges::find(studies, key, [](const auto& entry) { return entry.first; });
    if (study == studies.end()) {
      DepthStudy fresh{result.backbone + ", " + result.dataset + " " + result.split + ", " +
                           matcher_label(result),
                       recipe_label(*result.tuning),
                       {}};
      for (std::size_t k = 0; k < view.results.size(); ++k) {
        if (!view[k].tuning && evaluated(view[k]) == evaluated(result)) fresh.runs[0].push_back(k);
      }
      studies.emplace_back(key, std::move(fresh));
      study = studies.end() - 1;
    }
    study->second.runs[result.tuning->unfreeze].push_back(i);
  }
  std::vector<DepthStudy> result;
  for (auto& [key, study] : studies) {
    if (study.runs.size() > 1) result.push_back(std::move(study));
  }
  return result;
}

Table depth_table(const ReportView& view, const DepthStudy& study) {
  const double alpha = view.main_alpha;
  const bool paper = study.is_paper(view);
  const std::string pck = "PCK" + alpha_label(alpha);
  Table table{"Depth of tuning, " + study.title, {}, {}};
  TableRow head{{{"Tuned blocks"},
                 {"Runs", "n"},
                 {pck + " per point", "n edge"},
                 {pck + " per image", "n"},
                 {"Improvement", "n"}},
                ""};
  if (paper) {
    head.cells.push_back({"Paper, per point", "n edge paper"});
    head.cells.push_back({"Paper, per image", "n paper"});
    head.cells.push_back({"Paper, improvement", "n paper"});
  }
  table.head.push_back(std::move(head));
  const auto frozen = study.runs.find(0);
  const double start = frozen == study.runs.end()
                           ? paper_silent
                           : depth_spread(view, frozen->second, Aggregation::per_point, alpha).mean;
  double best = -1;
  for (const auto& [depth, runs] : study.runs) {
    best = (std::max)(best, depth_spread(view, runs, Aggregation::per_point, alpha).mean);
  }
  const auto difference = [](int depth, double here, double there) {
    return depth == 0 || std::isnan(here - there) ? "\u2013" : signed_fixed(here - there, 2);
  };
  for (const auto& [depth, runs] : study.runs) {
    const Spread points = depth_spread(view, runs, Aggregation::per_point, alpha);
    TableRow row{
        {{depth == 0 ? "none (baseline)" : text("last ", depth), "name"}, count_cell(runs.size())},
        ""};
    row.cells.push_back(spread_cell(points, points.mean == best ? "edge best" : "edge"));
    row.cells.push_back(spread_cell(depth_spread(view, runs, Aggregation::per_image, alpha), ""));
    row.cells.push_back({difference(depth, points.mean, start), "n"});
    if (paper) {
      const auto theirs = paper_depth(depth);
      const double score = theirs ? paper_at(*theirs, Aggregation::per_point, alpha) : paper_silent;
      row.cells.push_back(number_cell(score, 2, "edge paper"));
      row.cells.push_back(number_cell(
          theirs ? paper_at(*theirs, Aggregation::per_image, alpha) : paper_silent, 2, "paper"));
      row.cells.push_back(
          {difference(depth, score, PaperScores::at(paper_dinov2.per_point, alpha)), "n paper"});
    }
    table.body.push_back(std::move(row));
  }
  return table;
}

Chart depth_chart(const ReportView& view, const DepthStudy& study) {
  const bool paper = study.is_paper(view);
  double low = 100, high = 0;
  const auto include = [&](double score) {
    if (std::isnan(score)) return;
    low = (std::min)(low, score);
    high = (std::max)(high, score);
  };
  for (const auto& [depth, runs] : study.runs) {
    for (const double alpha : view.alphas) {
      const Spread spread = depth_spread(view, runs, Aggregation::per_point, alpha);
      include(spread.low);
      include(spread.high);
      if (const auto theirs = paper_depth(depth); paper && theirs) {
        include(PaperScores::at(theirs->per_point, alpha));
      }
    }
  }
  Chart chart{"PCK per point by tuned blocks, " + study.title + ", " + study.recipe, 360, 250};
  ChartFrame frame;
  frame.right = 296;
  frame.bottom = 208;
  frame.x_low = -0.2;
  frame.x_high = study.runs.rbegin()->first + 0.2;
  std::tie(frame.y_low, frame.y_high) = percent_range(low, high);
  draw_axes(chart, frame, "tuned blocks k", "PCK per point, %");
  for (const auto& [depth, runs] : study.runs) {
    chart.line(frame.x(depth), frame.bottom, frame.x(depth), frame.bottom + 4, "axis");
    chart.write(frame.x(depth), frame.bottom + 16, text(depth), "middle");
  }
  const auto draw_paper = [&](double alpha, std::size_t series) {
    std::vector<std::array<double, 2>> points;
    for (const auto& [depth, runs] : study.runs) {
      const auto theirs = paper_depth(depth);
      const double score = theirs ? PaperScores::at(theirs->per_point, alpha) : paper_silent;
      if (!std::isnan(score)) points.push_back({frame.x(depth), frame.y(score)});
    }
    if (points.empty()) return;
    chart.path(polyline(points), text("curve thin d1 s", series % series_kinds));
    for (const auto& [x, y] : points) {
      chart.disc(x, y, 3, text("hollow s", series % series_kinds), "paper");
    }
  };
  double label_above = 1e9;  // y of the label drawn last; labels go upwards with alpha
  for (std::size_t a = 0; a < view.alphas.size(); ++a) {
    const double alpha = view.alphas[a];
    const std::string series = text("s", a % series_kinds);
    if (paper) draw_paper(alpha, a);
    std::vector<std::array<double, 2>> points;
    for (const auto& [depth, runs] : study.runs) {
      const Spread spread = depth_spread(view, runs, Aggregation::per_point, alpha);
      if (spread.count == 0) continue;
      const double x = frame.x(depth), y = frame.y(spread.mean);
      if (spread.count > 1) {
        chart.line(x, frame.y(spread.low), x, frame.y(spread.high), "whisker " + series);
        for (const double end : {spread.low, spread.high}) {
          chart.line(x - 4, frame.y(end), x + 4, frame.y(end), "whisker " + series);
        }
      }
      chart.disc(x, y, 3.4, "mark " + series,
                 text("k ", depth, ": PCK@", alpha, " ", fixed(spread.mean, 2)));
      points.push_back({x, y});
    }
    if (points.empty()) continue;
    chart.path(polyline(points), "curve " + series);
    const double label = (std::min)(points.back()[1] + 4, label_above - 13);
    label_above = label;
    chart.write(points.back()[0] + 12, label, "\u03b1 " + plain_number(alpha), "strong " + series);
  }
  return chart;
}

}  // namespace tool::report
