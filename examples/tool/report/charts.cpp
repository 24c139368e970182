// SPDX-License-Identifier: Apache-2.0
#include "report/charts.hpp"

#include <algorithm>
#include <cmath>

#include "homolog/core/concepts.hpp"
#include "homolog/core/errors.hpp"

namespace tool::report {

using namespace homolog;

namespace {

// A step of 1, 2, 5, 10, 20 ... that divides a range into at most `most` parts.
double round_step(double range, int most) {
  double step = std::pow(10, std::floor(std::log10(range / most)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    if (range <= factor * step * most * (1 + 1e-9)) return factor * step;
  }
  return 10 * step;
}

void draw_error_ticks(Chart& chart, const ChartFrame& frame) {
  for (int i = 0; i <= 5; ++i) {
    const double value = 0.2 * i;
    chart.line(frame.x(value), frame.bottom, frame.x(value), frame.bottom + 4, "axis");
    chart.write(frame.x(value), frame.bottom + 16, fixed(value, i == 0 || i == 5 ? 0 : 1),
                "middle");
  }
}

// A dashed line at each alpha up to 1; labels step down where they would touch.
void draw_alphas(Chart& chart, const ChartFrame& frame, const std::vector<double>& alphas) {
  constexpr double letter = 5.8, row_height = 12;
  for (const double alpha : alphas) {
    if (alpha > 1) continue;
    chart.line(frame.x(alpha), frame.top - 6, frame.x(alpha), frame.bottom, "alpha");
  }
  std::vector<double> free_from;  // by row
  for (const double alpha : alphas) {
    if (alpha > 1) continue;
    const std::string label = plain_number(alpha);
    const double x = frame.x(alpha) + 3;
    std::size_t row = 0;
    while (row < free_from.size() && x < free_from[row]) ++row;
    if (row == free_from.size()) free_from.push_back(0);
    free_from[row] = x + letter * static_cast<double>(label.size()) + 5;
    chart.write(x, frame.top + 2 + row_height * static_cast<double>(row), label, "alpha halo");
  }
}

}  // namespace

std::string series_kind(std::size_t index) {
  return text("s", index % series_kinds, " d", index / series_kinds % 3);
}

void draw_axes(Chart& chart, const ChartFrame& frame, const std::string& x_name,
               const std::string& y_name) {
  const double step = round_step(frame.y_high - frame.y_low, 5);
  const int steps = static_cast<int>((frame.y_high - frame.y_low) / step + 1e-6);
  for (int i = 0; i <= steps; ++i) {
    const double value = frame.y_low + i * step;
    chart.line(frame.left, frame.y(value), frame.right, frame.y(value), i == 0 ? "axis" : "grid");
    chart.write(frame.left - 6, frame.y(value) + 3.5, plain_number(value), "end");
  }
  chart.write((frame.left + frame.right) / 2, frame.bottom + 34, x_name, "middle muted");
  chart.write(2, 11, y_name, "muted");
}

std::vector<double> relative_errors(const ReportResult& result) {
  std::vector<double> errors;
  for (const PairErrors& pair : result.errors) {
    for (const double distance : pair.distances) errors.push_back(distance / pair.threshold_scale);
  }
  std::ranges::sort(errors);
  return errors;
}

Chart histogram_chart(const std::string& name, const std::vector<double>& errors,
                      const std::vector<double>& alphas) {
  constexpr std::size_t bins = 40;
  std::array<std::size_t, bins + 1> counts{};
  for (const double error : errors) {
    // Errors are not negative; a value on an edge belongs to the bin below, as <= does in PCK.
    const double bin = std::ceil(error * bins - 1e-9) - 1;
    ++counts[bin < bins ? static_cast<std::size_t>((std::max)(bin, 0.0)) : bins];
  }
  const auto percent = [&errors](std::size_t count) {
    return 100 * static_cast<double>(count) / static_cast<double>(errors.size());
  };
  Chart chart{"Histogram of errors of " + name};
  ChartFrame frame;
  frame.right = 322;
  const double highest = percent((std::ranges::max)(counts));
  const double step = round_step(highest, 4);
  frame.y_high = step * std::ceil(highest / step - 1e-9);
  draw_axes(chart, frame, "error / s", "points, %");
  draw_error_ticks(chart, frame);
  for (std::size_t i = 0; i <= bins; ++i) {
    if (counts[i] == 0) continue;
    const double low = static_cast<double>(i) / bins, high = static_cast<double>(i + 1) / bins;
    const double top = frame.y(percent(counts[i]));
    const std::string share = fixed(percent(counts[i]), 2) + "% of points";
    if (i < bins) {
      chart.box(frame.x(low) + 0.5, top, frame.x(high) - frame.x(low) - 1, frame.bottom - top,
                "bar", text(low, " to ", high, ": ", share));
    } else {
      chart.box(frame.right + 9, top, 15, frame.bottom - top, "bar beyond", "above 1: " + share);
    }
  }
  chart.line(frame.right + 8, frame.bottom, frame.right + 25, frame.bottom, "axis");
  chart.write(frame.right + 16.5, frame.bottom + 16, ">1", "middle");
  draw_alphas(chart, frame, alphas);
  return chart;
}

std::vector<std::array<double, 2>> cumulative_curve(const std::vector<double>& errors,
                                                    const ChartFrame& frame) {
  constexpr int steps = 200;
  std::vector<std::array<double, 2>> points;
  for (int i = 0; i <= steps; ++i) {
    const double x = static_cast<double>(i) / steps;
    // Shifted by a hair, so that an error of exactly x counts, as <= does in PCK.
    const auto up_to = std::ranges::upper_bound(errors, x + 1e-12) - errors.begin();
    const double share = 100 * static_cast<double>(up_to) / static_cast<double>(errors.size());
    points.push_back({frame.x(x), frame.y(share)});
  }
  return points;
}

Chart cumulative_chart(const std::string& name, const std::vector<double>& errors,
                       const ReportScores& scores, const std::vector<double>& alphas) {
  Chart chart{"Share of points by largest error, of " + name};
  ChartFrame frame;
  draw_axes(chart, frame, "\u03b1 = error / s", "points within \u03b1, %");
  draw_error_ticks(chart, frame);
  draw_alphas(chart, frame, alphas);
  chart.path(polyline(cumulative_curve(errors, frame)), "curve s0");
  for (const double alpha : alphas) {
    const double score = score_at(scores, Aggregation::per_point, alpha);
    if (alpha > 1 || std::isnan(score)) continue;
    chart.disc(frame.x(alpha), frame.y(score), 3.2, "mark s0",
               "PCK@" + plain_number(alpha) + " " + fixed(score, 2));
  }
  return chart;
}

Chart compared_chart(const std::string& name, const std::vector<std::vector<double>>& errors_of,
                     const std::vector<double>& alphas) {
  Chart chart{"Share of points by largest error, results of " + name, 400, 270};
  ChartFrame frame;
  frame.right = 386;
  frame.bottom = 230;
  draw_axes(chart, frame, "\u03b1 = error / s", "points within \u03b1, %");
  draw_error_ticks(chart, frame);
  draw_alphas(chart, frame, alphas);
  for (std::size_t i = 0; i < errors_of.size(); ++i) {
    chart.path(polyline(cumulative_curve(errors_of[i], frame)), "curve " + series_kind(i));
  }
  return chart;
}

}  // namespace tool::report
