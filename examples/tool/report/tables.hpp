// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tables of all results side by side, of categories, of settings and of seconds.

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "report/elements.hpp"
#include "report/view.hpp"

namespace tool::report {

// Head of columns "per point @a ..., per image @a ...", after `before` columns of other content.
std::vector<TableRow> score_head(const std::vector<TableCell>& before,
                                 const std::vector<double>& alphas);

// Scores of one row at all alphas, both aggregations; `kind_of` may mark a cell.
void add_scores(TableRow& row, const std::vector<double>& alphas,
                const std::function<double(Aggregation, double alpha)>& score,
                const std::function<std::string(Aggregation, double alpha)>& kind_of = {});

// Table A: every result, the paper's row below it where there is one, the best of a split bold.
Table results_table(const ReportView& view);

// Categories of one result at every alpha, with the paper's Table 1 where it applies.
Table category_table(const ReportView& view, std::size_t index);

// Table B for several results of a split: a column group each, at the main alpha.
Table categories_side_by_side(const ReportView& view, std::span<const std::size_t> members);

// What each result was measured with.
Table settings_table(const ReportView& view);

Table seconds_table(const ReportView& view);

}  // namespace tool::report
