// SPDX-License-Identifier: Apache-2.0
#pragma once

// Charts of errors: how far predictions are from the truth, in units of the threshold length s.

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "report/elements.hpp"
#include "report/result.hpp"
#include "report/view.hpp"

namespace tool::report {

// Series are told apart by colour and by the shape of their lines (style sheet).
inline constexpr std::size_t series_kinds = 6;

std::string series_kind(std::size_t index);

// Where values lie in a chart.
struct ChartFrame {
  double left = 40, right = 346, top = 26, bottom = 190;
  double x_low = 0, x_high = 1, y_low = 0, y_high = 100;

  double x(double value) const {
    return left + (value - x_low) / (x_high - x_low) * (right - left);
  }
  double y(double value) const {
    return bottom - (value - y_low) / (y_high - y_low) * (bottom - top);
  }
};

// Horizontal lines with their values, and the axes' names.
void draw_axes(Chart& chart, const ChartFrame& frame, const std::string& x_name,
               const std::string& y_name);

// Distances over s of all points of a result, ascending.
std::vector<double> relative_errors(const ReportResult& result);

// Share of points by error, 0 to 1 in steps of 0.025, and what lies beyond in a bar of its own.
Chart histogram_chart(const std::string& name, const std::vector<double>& errors,
                      const std::vector<double>& alphas);

// Points of the curve "share of errors up to x" on a grid fine enough to be drawn.
std::vector<std::array<double, 2>> cumulative_curve(const std::vector<double>& errors,
                                                    const ChartFrame& frame);

// PCK per point at every alpha up to 1.
Chart cumulative_chart(const std::string& name, const std::vector<double>& errors,
                       const ReportScores& scores, const std::vector<double>& alphas);

// The same curves of several results in one chart.
Chart compared_chart(const std::string& name, const std::vector<std::vector<double>>& errors_of,
                     const std::vector<double>& alphas);

}  // namespace tool::report
