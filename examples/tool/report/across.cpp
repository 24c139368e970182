// SPDX-License-Identifier: Apache-2.0
#include "report/across.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "report/paper_numbers.hpp"
#include "report/tables.hpp"

namespace tool::report {

Table across_table(const ReportView& view, const std::vector<std::size_t>& members) {
  const ReportResult& sample = view[members.front()];
  std::vector<std::pair<const ReportGroup*, std::vector<std::size_t>>> rows;
  for (const ReportGroup& group : view.groups) {
    std::vector<std::size_t> here;
    for (const std::size_t i : members) {
      if (std::ranges::find(group.members, i) != group.members.end()) here.push_back(i);
    }
    if (!here.empty()) rows.emplace_back(&group, std::move(here));
  }
  // Differences are against the data set the backbone was tuned on, else against the first.
  const std::string home = sample.tuning ? sample.tuning->train_dataset : "";
  const auto reference =
      std::ranges::find_if(rows, [&home](const auto& row) { return row.first->dataset == home; });
  const std::size_t reference_row =
      reference == rows.end() ? 0 : static_cast<std::size_t>(reference - rows.begin());

  const auto mean = [&view](const std::vector<std::size_t>& runs, Aggregation aggregation,
                            double alpha) {
    std::vector<double> scores;
    for (const std::size_t i : runs) {
      const double score = score_at(view[i].total, aggregation, alpha);
      if (!std::isnan(score)) scores.push_back(score);
    }
    return spread_of(scores).mean;
  };
  Table table{"Across data sets", score_head({{"Data set"}, {"Runs", "n"}}, view.alphas), {}};
  table.head[0].cells.push_back({"Difference", "n edge"});
  table.head[1].cells.push_back({alpha_label(view.main_alpha), "n edge"});
  const auto add_difference = [&](TableRow& row, std::size_t index, double here, double there) {
    row.cells.push_back(index == reference_row ? TableCell{"\u2013", "n edge"}
                        : std::isnan(here - there)
                            ? TableCell{"", "n edge"}
                            : TableCell{signed_fixed(here - there, 2), "n edge"});
  };
  const auto paper_of = [&](std::size_t index) {
    return paper_scores(view[rows[index].second[0]]);
  };
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const auto& [group, runs] = rows[index];
    TableRow row{{{group->name(), "name"}, count_cell(runs.size())}, "ours"};
    add_scores(row, view.alphas, [&mean, &runs = runs](Aggregation aggregation, double alpha) {
      return mean(runs, aggregation, alpha);
    });
    add_difference(row, index, mean(runs, Aggregation::per_point, view.main_alpha),
                   mean(rows[reference_row].second, Aggregation::per_point, view.main_alpha));
    table.body.push_back(std::move(row));
    const auto paper = paper_of(index), there = paper_of(reference_row);
    if (!paper) continue;
    TableRow below{{{"paper", "name", std::string(paper->place)}, {"", "n"}}, "paper"};
    add_scores(below, view.alphas, [&paper](Aggregation aggregation, double alpha) {
      return paper_at(*paper, aggregation, alpha);
    });
    add_difference(
        below, index, paper_at(*paper, Aggregation::per_point, view.main_alpha),
        there ? paper_at(*there, Aggregation::per_point, view.main_alpha) : paper_silent);
    table.body.push_back(std::move(below));
  }
  return table;
}

std::vector<std::vector<std::size_t>> across_methods(const ReportView& view) {
  std::vector<std::pair<std::string, std::vector<std::size_t>>> methods;
  for (std::size_t i = 0; i < view.results.size(); ++i) {
    const ReportResult& result = view[i];
    std::string key = method_key(result);
    if (result.tuning) key += joined_key(recipe_key(*result.tuning), result.tuning->unfreeze);
    auto method = std::ranges::find(methods, key, [](const auto& entry) { return entry.first; });
    if (method == methods.end()) {
      methods.push_back({key, {}});
      method = methods.end() - 1;
    }
    method->second.push_back(i);
  }
  std::vector<std::vector<std::size_t>> several;
  for (auto& [key, members] : methods) {
    std::set<std::string> sets;
    for (const std::size_t i : members) sets.insert(view[i].dataset + '\n' + view[i].split);
    if (sets.size() > 1) several.push_back(std::move(members));
  }
  return several;
}

}  // namespace tool::report
