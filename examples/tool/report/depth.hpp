// SPDX-License-Identifier: Apache-2.0
#pragma once

// Depth of tuning: the frozen backbone against its last 1, 2, 3 ... blocks tuned, averaged over
// seeds; as a table and as a chart.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "report/elements.hpp"
#include "report/paper_numbers.hpp"
#include "report/view.hpp"

namespace tool::report {

// Results of two depths or more that differ in depth and seed only; depth 0 is the frozen backbone
// they began from.
struct DepthStudy {
  std::string title, recipe;
  std::map<int, std::vector<std::size_t>> runs;  // by tuned blocks; 0: frozen

  bool is_paper(const ReportView& view) const {
    const auto first = runs.upper_bound(0);
    const auto scores = paper_scores(view[first->second.front()]);
    return view[first->second.front()].matcher == "argmax" && scores.has_value() &&
           view[first->second.front()].dataset == "spair-71k";
  }
};

std::vector<DepthStudy> depth_studies(const ReportView& view);

// Table C: PCK at the main alpha by depth, means over seeds with least and greatest below.
Table depth_table(const ReportView& view, const DepthStudy& study);

// PCK per point over tuned blocks: a line an alpha, bars from the least to the greatest seed, and
// the paper's line at 0.1 where it measured the same.
Chart depth_chart(const ReportView& view, const DepthStudy& study);

}  // namespace tool::report
