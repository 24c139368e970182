// SPDX-License-Identifier: Apache-2.0
#pragma once

// A self-contained HTML page over results of `homolog evaluate`: tables, charts and drawn matches,
// beside the paper's numbers where it measured the same.

#include <cstddef>
#include <string>
#include <vector>

#include "report/result.hpp"

namespace tool::report {

// What a report shows.
struct ReportSetting {
  std::string title = "Semantic correspondence";  // heading, plain text
  std::size_t pairs = 4;                          // best, and as many worst, pairs drawn a result
  bool pictures = true;                           // false: no picture is opened
};

// The page, as one HTML file without scripts and without anything loaded from elsewhere.
//
// Text from files is escaped. Pictures are looked for as predictions are.
//
// It throws ReportError when there is no result or a picture is missing, and FileError or
// ImageError when a picture cannot be read.
std::string render_report(const std::vector<ReportResult>& results,
                          const ReportSetting& setting = {});

}  // namespace tool::report
