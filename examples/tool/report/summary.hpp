// SPDX-License-Identifier: Apache-2.0
#pragma once

// The results of a report as lines for a terminal.

#include <string>
#include <vector>

#include "report/result.hpp"

namespace tool::report {

// The results as lines for a terminal, the paper's number below ours.
//
// It throws ReportError when there is no result.
std::string report_summary(const std::vector<ReportResult>& results);

}  // namespace tool::report
