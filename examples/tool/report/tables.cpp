// SPDX-License-Identifier: Apache-2.0
#include "report/tables.hpp"

#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "homolog/core/errors.hpp"
#include "report/paper_numbers.hpp"

namespace tool::report {

using homolog::text;

namespace {

double mean_of_categories(const ReportResult& result, Aggregation aggregation, double alpha) {
  std::vector<double> scores;
  for (const auto& [name, category] : result.per_category) {
    const double score = score_at(category, aggregation, alpha);
    if (!std::isnan(score)) scores.push_back(score);
  }
  return spread_of(scores).mean;
}

}  // namespace

std::vector<TableRow> score_head(const std::vector<TableCell>& before,
                                 const std::vector<double>& alphas) {
  TableRow groups, columns{before, ""};
  for (std::size_t i = 0; i < before.size(); ++i) groups.cells.push_back({});
  for (const char* name : {"PCK per point", "PCK per image"}) {
    groups.cells.push_back({name, "n edge", "", alphas.size()});
    for (const double alpha : alphas) {
      columns.cells.push_back({alpha_label(alpha), alpha == alphas.front() ? "n edge" : "n"});
    }
  }
  return {groups, columns};
}

void add_scores(TableRow& row, const std::vector<double>& alphas,
                const std::function<double(Aggregation, double alpha)>& score,
                const std::function<std::string(Aggregation, double alpha)>& kind_of) {
  for (const Aggregation aggregation : aggregations) {
    for (const double alpha : alphas) {
      std::string kind = alpha == alphas.front() ? "edge" : "";
      if (kind_of) kind.append(" ").append(kind_of(aggregation, alpha));
      row.cells.push_back(number_cell(score(aggregation, alpha), 2, kind));
    }
  }
}

Table results_table(const ReportView& view) {
  const bool several = view.groups.size() > 1;
  Table table{"All results", score_head({{"Result"}}, view.alphas), {}};
  table.head[0].cells.push_back({"", "edge", "", 2});
  table.head[1].cells.push_back({"Pairs", "n edge"});
  table.head[1].cells.push_back({"Points", "n"});
  for (const ReportGroup& group : view.groups) {
    const auto best = [&](Aggregation aggregation, double alpha) {
      double highest = -1;
      for (const std::size_t i : group.members) {
        const double score = score_at(view[i].total, aggregation, alpha);
        if (score > highest) highest = score;
      }
      return highest;
    };
    std::map<std::pair<Aggregation, double>, double> bests;
    for (const Aggregation aggregation : aggregations) {
      for (const double alpha : view.alphas) bests[{aggregation, alpha}] = best(aggregation, alpha);
    }
    for (const std::size_t i : group.members) {
      const ReportScores& total = view[i].total;
      const std::string set = several ? group.name() + ", " : "";
      TableRow row{{{view.numbered(i), "name", set + view[i].file.string()}}, "ours"};
      add_scores(
          row, view.alphas,
          [&total](Aggregation aggregation, double alpha) {
            return score_at(total, aggregation, alpha);
          },
          [&](Aggregation aggregation, double alpha) -> std::string {
            const double score = score_at(total, aggregation, alpha);
            return group.members.size() > 1 && score == bests[{aggregation, alpha}] ? "best" : "";
          });
      row.cells.push_back({grouped(total.pairs), "n edge"});
      row.cells.push_back(count_cell(total.points));
      table.body.push_back(std::move(row));
      const auto paper = paper_scores(view[i]);
      if (!paper) continue;
      TableRow below{{{"paper", "name", std::string(paper->place)}}, "paper"};
      add_scores(below, view.alphas, [&paper](Aggregation aggregation, double alpha) {
        return paper_at(*paper, aggregation, alpha);
      });
      below.cells.push_back({grouped(paper->pairs), "n edge"});
      below.cells.push_back({"", "n"});
      table.body.push_back(std::move(below));
    }
  }
  return table;
}

Table category_table(const ReportView& view, std::size_t index) {
  const ReportResult& result = view[index];
  const bool paper = paper_category(result, "aeroplane").has_value();
  Table table{"Categories of " + view.labels[index], {}, {}};
  table.head = score_head({{"Category"}, {"Pairs", "n"}, {"Points", "n"}}, view.alphas);
  if (paper) {
    table.head[0].cells.push_back(
        {"Paper, Table 1, per point", "n edge paper", "", paper_alphas.size()});
    for (const double alpha : paper_alphas) {
      table.head[1].cells.push_back(
          {alpha_label(alpha), alpha == paper_alphas.front() ? "n edge paper" : "n paper"});
    }
  }
  const auto add_paper = [&](TableRow& row, const std::optional<std::array<double, 3>>& scores) {
    if (!paper) return;
    for (std::size_t i = 0; i < paper_alphas.size(); ++i) {
      row.cells.push_back(
          number_cell(scores ? (*scores)[i] : paper_silent, 2, i == 0 ? "edge paper" : "paper"));
    }
  };
  for (const auto& [name, scores] : result.per_category) {
    TableRow row{{{name, "name"}, count_cell(scores.pairs), count_cell(scores.points)}, ""};
    add_scores(row, view.alphas, [&scores = scores](Aggregation aggregation, double alpha) {
      return score_at(scores, aggregation, alpha);
    });
    const auto known = paper_category(result, name);
    add_paper(row, known ? std::optional(known->per_point) : std::nullopt);
    table.body.push_back(std::move(row));
  }
  TableRow mean{{{"mean of categories", "name"}, {"", "n"}, {"", "n"}}, "sum first"};
  add_scores(mean, view.alphas, [&result](Aggregation aggregation, double alpha) {
    return mean_of_categories(result, aggregation, alpha);
  });
  add_paper(mean, std::nullopt);
  table.body.push_back(std::move(mean));
  TableRow all{
      {{"all pairs", "name"}, count_cell(result.total.pairs), count_cell(result.total.points)},
      "sum"};
  add_scores(all, view.alphas, [&result](Aggregation aggregation, double alpha) {
    return score_at(result.total, aggregation, alpha);
  });
  add_paper(all, paper ? std::optional(paper_dinov2.per_point) : std::nullopt);
  table.body.push_back(std::move(all));
  return table;
}

Table categories_side_by_side(const ReportView& view, std::span<const std::size_t> members) {
  const double alpha = view.main_alpha;
  Table table{"Categories, results side by side", {}, {}};
  TableRow names{{{}}, "labels"}, columns{{{"Category"}}, ""};
  std::set<std::string> categories;
  std::vector<std::map<std::string, const ReportScores*>> of_member;
  std::vector<bool> paper;
  for (const std::size_t i : members) {
    of_member.emplace_back();
    for (const auto& [name, scores] : view[i].per_category) {
      categories.insert(name);
      of_member.back()[name] = &scores;
    }
    paper.push_back(paper_category(view[i], "aeroplane").has_value());
    names.cells.push_back({view.numbered(i), "edge label", "", paper.back() ? 3U : 2U});
    columns.cells.push_back({"point", "n edge"});
    columns.cells.push_back({"image", "n"});
    if (paper.back()) columns.cells.push_back({"paper", "n paper"});
  }
  table.head = {names, columns};
  const auto add_row = [&](const std::string& name, const std::string& kind, const auto& score,
                           const auto& paper_score) {
    TableRow row{{{name, "name"}}, kind};
    for (std::size_t k = 0; k < members.size(); ++k) {
      row.cells.push_back(number_cell(score(k, Aggregation::per_point), 2, "edge"));
      row.cells.push_back(number_cell(score(k, Aggregation::per_image)));
      if (paper[k]) row.cells.push_back(number_cell(paper_score(k), 2, "paper"));
    }
    table.body.push_back(std::move(row));
  };
  for (const std::string& name : categories) {
    add_row(
        name, "",
        [&](std::size_t k, Aggregation aggregation) {
          const auto found = of_member[k].find(name);
          return found == of_member[k].end() ? paper_silent
                                             : score_at(*found->second, aggregation, alpha);
        },
        [&](std::size_t k) {
          const auto known = paper_category(view[members[k]], name);
          return known ? PaperScores::at(known->per_point, alpha) : paper_silent;
        });
  }
  add_row(
      "mean of categories", "sum first",
      [&](std::size_t k, Aggregation aggregation) {
        return mean_of_categories(view[members[k]], aggregation, alpha);
      },
      [](std::size_t) { return paper_silent; });
  add_row(
      "all pairs", "sum",
      [&](std::size_t k, Aggregation aggregation) {
        return score_at(view[members[k]].total, aggregation, alpha);
      },
      [&](std::size_t) { return PaperScores::at(paper_dinov2.per_point, alpha); });
  return table;
}

Table settings_table(const ReportView& view) {
  Table table{"Settings of each result", {}, {}};
  table.head.push_back({{{"Result"},
                         {"Split"},
                         {"Protocol"},
                         {"s"},
                         {"Correct"},
                         {"Input"},
                         {"Filter"},
                         {"Normalised"},
                         {"Positions"},
                         {"Query"},
                         {"Block"},
                         {"Final norm"},
                         {"Numbers"},
                         {"Training"},
                         {"Weights"}},
                        "tight"});
  const auto known = [](const std::string& value) { return value.empty() ? "\u2013" : value; };
  for (std::size_t i = 0; i < view.results.size(); ++i) {
    const ReportResult& result = view[i];
    const auto stated = [&](const char* key) { return TableCell{known(detail_of(result, key))}; };
    std::string training;
    if (result.tuning) {
      training = recipe_label(*result.tuning);
      if (result.tuning->epoch) training += text(", epoch ", *result.tuning->epoch);
      if (result.tuning->step) training += text(", step ", *result.tuning->step);
    }
    table.body.push_back({{{view.numbered(i), "name"},
                           {result.dataset + " " + result.split},
                           {result.protocol},
                           {result.threshold},
                           {"error " + comparison_label(result.comparison) + " \u03b1 \u00b7 s"},
                           {input_label(result)},
                           stated("resize_filter"),
                           stated("normalization"),
                           stated("position_interpolation"),
                           stated("query"),
                           {result.layer ? text(*result.layer) : "\u2013"},
                           stated("final_norm"),
                           stated("dtype"),
                           {known(training), "long"},
                           {known(detail_of(result, "weights")), "long"}},
                          "tight"});
  }
  return table;
}

Table seconds_table(const ReportView& view) {
  Table table{"Seconds", {}, {}};
  table.head.push_back({{{}, {}, {}, {"Seconds", "n edge", "", 4}, {"", "n edge", "", 2}}, ""});
  table.head.push_back({{{"Result"},
                         {"Pictures", "n"},
                         {"Forwards", "n"},
                         {"Decode", "n edge"},
                         {"Backbone", "n"},
                         {"Match", "n"},
                         {"Total", "n"},
                         {"ms a forward", "n edge"},
                         {"Pairs a second", "n"}},
                        ""});
  for (std::size_t i = 0; i < view.results.size(); ++i) {
    const ReportResult& result = view[i];
    const ReportSeconds& seconds = result.seconds;
    const double forwards = static_cast<double>(result.backbone_forwards);
    const double pairs = static_cast<double>(result.total.pairs);
    table.body.push_back(
        {{{view.numbered(i), "name", result.dataset + " " + result.split},
          count_cell(result.distinct_images),
          count_cell(result.backbone_forwards),
          number_cell(seconds.decode, 1, "edge"),
          number_cell(seconds.backbone, 1),
          number_cell(seconds.match, 1),
          number_cell(seconds.total, 1),
          number_cell(forwards > 0 ? 1000 * seconds.backbone / forwards : paper_silent, 1, "edge"),
          number_cell(seconds.total > 0 ? pairs / seconds.total : paper_silent, 0)},
         ""});
  }
  return table;
}

}  // namespace tool::report
