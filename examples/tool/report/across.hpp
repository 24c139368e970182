// SPDX-License-Identifier: Apache-2.0
#pragma once

// One method on several data sets, as a table.

#include <cstddef>
#include <vector>

#include "report/elements.hpp"
#include "report/view.hpp"

namespace tool::report {

// One method on several data sets: rows of a data set each, averaged over seeds.
Table across_table(const ReportView& view, const std::vector<std::size_t>& members);

// Methods that were evaluated on more than one data set, as lists of results.
std::vector<std::vector<std::size_t>> across_methods(const ReportView& view);

}  // namespace tool::report
