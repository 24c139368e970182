// SPDX-License-Identifier: Apache-2.0
#include "report/render_report.hpp"

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <span>
#include <utility>

#include "homolog/core/errors.hpp"
#include "homolog/images/image.hpp"
#include "homolog/version.hpp"
#include "report/across.hpp"
#include "report/charts.hpp"
#include "report/depth.hpp"
#include "report/elements.hpp"
#include "report/mustache_data.hpp"
#include "report/page_template.hpp"
#include "report/paper_numbers.hpp"
#include "report/pictures.hpp"
#include "report/style.hpp"
#include "report/tables.hpp"
#include "report/view.hpp"

namespace tool::report {

using namespace homolog;

namespace {

bool any_paper(const ReportView& view) {
  return std::ranges::any_of(
      view.results, [](const ReportResult& result) { return paper_scores(result).has_value(); });
}

// The different values of a setting over all results, joined by commas.
template <class Value>
std::string values_of(const ReportView& view, const Value& value) {
  std::vector<std::string> seen;
  for (const ReportResult& result : view.results) {
    const std::string here = value(result);
    if (!here.empty() && std::ranges::find(seen, here) == seen.end()) seen.push_back(here);
  }
  std::string joined;
  for (const std::string& here : seen) joined += (joined.empty() ? "" : ", ") + here;
  return joined.empty() ? "not stated" : joined;
}

// What the numbers rest on, in sentences.
std::vector<std::string> reading_notes(const ReportView& view) {
  std::vector<std::string> notes;
  for (const ReportGroup& group : view.groups) {
    std::string note = group.name() + ": s is the " + threshold_label(group.threshold) + " (" +
                       group.threshold + ")";
    if (group.dataset == "pf-willow") note += "; the data set itself annotates no box";
    notes.push_back(note + ".");
    for (const std::size_t i : group.members) {
      const auto paper = paper_scores(view[i]);
      if (!paper || paper->pairs == view[i].total.pairs) continue;
      notes.push_back(view.labels[i] + ": " + counted(view[i].total.pairs, "pair") +
                      ", whereas the paper's row is over " + grouped(paper->pairs) +
                      "; the two are not comparable.");
    }
  }
  if (std::ranges::any_of(view.results, is_paper_dataset)) {
    const auto stated = [](const char* key) {
      return [key](const ReportResult& result) { return detail_of(result, key); };
    };
    notes.push_back(
        "The paper does not state the following, so it was assumed here: input (" +
        values_of(view, input_label) + "), filter (" + values_of(view, stated("resize_filter")) +
        "), reading of the query (" + values_of(view, stated("query")) + "), final norm (" +
        values_of(view, stated("final_norm")) +
        "), pixel and cell coordinates counted from centres and resized half-pixel exact, and in "
        "tuning the optimiser, learning rate, batch, epochs and loss temperature.");
  } else {
    notes.push_back(
        "Assumed: pixel and cell coordinates are counted from centres and resized half-pixel "
        "exact.");
  }
  if (any_paper(view)) {
    notes.push_back(
        "Rows and columns in italics are the paper's numbers. They stand only beside results of "
        "the same test split, backbone, block, matcher and tuning.");
  }
  if (std::ranges::any_of(view.results,
                          [](const ReportResult& r) { return r.dataset == "synthetic"; })) {
    notes.push_back(
        "The synthetic data set consists of drawn pictures: its scores check a pipeline and say "
        "little about photographs.");
  }
  return notes;
}

MustacheData categories_data(const ReportView& view) {
  MustacheData groups = mustache_list();
  for (const ReportGroup& group : view.groups) {
    const bool several = group.members.size() > 1;
    MustacheData data;
    data.set("group_name",
             several || view.groups.size() > 1 ? MustacheData(group.name()) : MustacheData(false));
    data.set("main_alpha", plain_number(view.main_alpha));
    data.set("folded", MustacheData(several));
    MustacheData compared = mustache_list();
    constexpr std::size_t most = 6;  // results a table, so that it fits on paper
    const std::span<const std::size_t> members(group.members);
    for (std::size_t begin = 0; several && begin < members.size(); begin += most) {
      const auto some = members.subspan(begin, (std::min)(most, members.size() - begin));
      compared.push_back(table_data(categories_side_by_side(view, some)));
    }
    data.set("compared", compared);
    MustacheData each = mustache_list();
    for (const std::size_t i : group.members) {
      MustacheData entry;
      entry.set("name", view.numbered(i));
      entry.set("categories_of", table_data(category_table(view, i)));
      each.push_back(entry);
    }
    data.set("each", each);
    groups.push_back(data);
  }
  return groups;
}

MustacheData depth_data(const ReportView& view, const std::vector<DepthStudy>& studies) {
  MustacheData list = mustache_list();
  for (const DepthStudy& study : studies) {
    MustacheData data;
    data.set("study_title", study.title);
    data.set("study_recipe", study.recipe);
    data.set("depth_table", table_data(depth_table(view, study)));
    data.set("depth_chart", chart_data(depth_chart(view, study)));
    list.push_back(data);
  }
  return list;
}

MustacheData across_data(const ReportView& view) {
  MustacheData list = mustache_list();
  for (const auto& members : across_methods(view)) {
    const ReportResult& sample = view[members.front()];
    MustacheData data;
    std::string name = sample.backbone;
    if (sample.tuning) {
      name += ", " + blocks_label(sample.tuning->unfreeze) + ", " + recipe_label(*sample.tuning);
    } else if (sample.matcher != "copy-coordinates") {
      name += ", frozen";
    }
    data.set("method_name", name + ", " + matcher_label(sample));
    data.set("across_table", table_data(across_table(view, members)));
    list.push_back(data);
  }
  return list;
}

// Fills the lists of charts of errors: one that compares a split's results, and two a result.
void set_errors(MustacheData& page, const ReportView& view) {
  MustacheData comparisons = mustache_list(), histograms = mustache_list();
  bool any = false;
  for (const ReportGroup& group : view.groups) {
    std::vector<std::vector<double>> errors_of;
    MustacheData entries = mustache_list();
    for (const std::size_t i : group.members) {
      if (view[i].errors.empty()) continue;
      any = true;
      const std::vector<double> errors = relative_errors(view[i]);
      const std::string& label = view.labels[i];
      MustacheData data;
      data.set("name",
               view.numbered(i) + (view.groups.size() > 1 ? ", " + group.name() : std::string()));
      data.set("histogram", chart_data(histogram_chart(label, errors, view.alphas)));
      data.set("cumulative",
               chart_data(cumulative_chart(label, errors, view[i].total, view.alphas)));
      histograms.push_back(data);
      MustacheData entry;
      entry.set("entry", view.numbered(i));
      entry.set("entry_kind", series_kind(errors_of.size()));
      entries.push_back(entry);
      errors_of.push_back(errors);
    }
    if (errors_of.size() < 2) continue;
    MustacheData data;
    data.set("group_name", group.name());
    data.set("compared_chart", chart_data(compared_chart(group.name(), errors_of, view.alphas)));
    data.set("entries", entries);
    comparisons.push_back(data);
  }
  page.set("has_errors", MustacheData(any));
  page.set("comparisons", comparisons);
  page.set("histograms", histograms);
}

MustacheData drawn_list(const ReportView& view, const ReportResult& result, const std::string& name,
                        const std::vector<PairOutcome>& outcomes) {
  MustacheData pictures = mustache_list();
  for (const PairOutcome& outcome : outcomes) {
    const Image image = draw_pair(result, outcome.index, view.main_alpha);
    MustacheData data;
    data.set("address", picture_address(image));
    data.set("picture_width", text(image.width));
    data.set("picture_height", text(image.height));
    data.set("pair", result.pairs[outcome.index].name);
    data.set("pair_pck", fixed(outcome.pck, 2));
    data.set("pair_error", fixed(outcome.mean_error, 1));
    data.set("pair_relative", fixed(outcome.relative, 3));
    data.set("pair_points", counted(result.pairs[outcome.index].truth.size(), "point"));
    pictures.push_back(data);
  }
  MustacheData list;
  list.set("list_name", name);
  list.set("pictures", pictures);
  return list;
}

MustacheData pictures_data(const ReportView& view, std::size_t count) {
  MustacheData drawn = mustache_list();
  bool first = true;
  for (std::size_t i = 0; i < view.results.size(); ++i) {
    const ReportResult& result = view[i];
    if (result.pairs.empty()) continue;
    const auto [best, worst] = best_and_worst(pair_outcomes(result, view.main_alpha), count);
    MustacheData lists = mustache_list();
    lists.push_back(drawn_list(view, result, "Best", best));
    if (!worst.empty()) lists.push_back(drawn_list(view, result, "Worst", worst));
    MustacheData data;
    data.set("open", MustacheData(std::exchange(first, false)));
    data.set("name", view.numbered(i) + ", " + result.dataset + " " + result.split);
    data.set("lists", lists);
    drawn.push_back(data);
  }
  return drawn;
}

// What lines of drawn matches mean, by whether prediction files hold source keypoints.
const char* line_meaning(const ReportView& view) {
  bool with = false, without = false;
  for (const ReportResult& result : view.results) {
    if (result.pairs.empty()) continue;
    (result.pairs.front().queries.empty() ? without : with) = true;
  }
  if (with && without) {
    return "Lines run from the source keypoint, thin where it was missed, or within the target "
           "from "
           "the truth to the prediction where the prediction file holds no source keypoints.";
  }
  return with ? "Lines run from the source keypoint and are thin where it was missed."
              : "Lines run from the truth to the prediction.";
}

MustacheData section_links(const std::vector<std::pair<const char*, const char*>>& names) {
  MustacheData sections = mustache_list();
  for (const auto& [anchor, heading] : names) {
    MustacheData data;
    data.set("anchor", anchor);
    data.set("heading", heading);
    sections.push_back(data);
  }
  return sections;
}

std::string fill_template(const std::string& source, const MustacheData& data) {
  kainjow::mustache::mustache page(source);
  if (!page.is_valid()) throw ReportError("report template: " + page.error_message());
  std::string html = page.render(data);
  if (!page.is_valid()) throw ReportError("report template: " + page.error_message());
  return html;
}

// The whole page, with `drawn_pairs` best and as many worst pairs of each result. With 0, no
// picture is opened.
std::string page_html(const ReportView& view, const std::string& title, std::size_t drawn_pairs) {
  const auto studies = depth_studies(view);
  const bool several_sets = view.groups.size() > 1;
  MustacheData page;
  page.set("title", title);
  page.set("style", report_style);
  page.set("version", HOMOLOG_VERSION);
  page.set("main_alpha", plain_number(view.main_alpha));
  page.set("any_paper", MustacheData(any_paper(view)));
  page.set("table", kainjow::mustache::partial([] { return report_table_template; }));
  page.set("chart", kainjow::mustache::partial([] { return report_chart_template; }));

  std::string sets;
  for (const auto& group : view.groups) sets += (sets.empty() ? "" : ", ") + group.name();
  page.set("summary", counted(view.results.size(), "result") + " on " + sets);
  MustacheData notes = mustache_list();
  for (const std::string& note : reading_notes(view)) {
    MustacheData data;
    data.set("note_text", note);
    notes.push_back(data);
  }
  page.set("notes", notes);
  page.set("few", MustacheData(view.results.size() <= 4));
  page.set("settings", table_data(settings_table(view)));
  page.set("several", MustacheData(view.results.size() > view.groups.size()));
  page.set("results", table_data(results_table(view)));
  page.set("category_groups", categories_data(view));
  page.set("has_depth", MustacheData(!studies.empty()));
  page.set("depth_paper", MustacheData(std::ranges::any_of(studies, [&view](const auto& study) {
             return study.is_paper(view);
           })));
  page.set("studies", depth_data(view, studies));
  page.set("has_across", MustacheData(several_sets));
  page.set("methods", across_data(view));
  set_errors(page, view);
  const bool predictions = std::ranges::any_of(
      view.results, [](const ReportResult& result) { return !result.pairs.empty(); });
  const bool pictures = drawn_pairs > 0 && predictions;
  page.set("has_pictures", MustacheData(pictures));
  page.set("line_meaning", line_meaning(view));
  page.set("drawn", pictures ? pictures_data(view, drawn_pairs) : mustache_list());
  page.set("seconds", table_data(seconds_table(view)));

  std::vector<std::pair<const char*, const char*>> sections{
      {"reading", "How to read this"}, {"results", "All results"}, {"categories", "Categories"}};
  if (!studies.empty()) sections.emplace_back("depth", "Depth of tuning");
  if (several_sets) sections.emplace_back("across", "Across data sets");
  if (predictions) sections.emplace_back("errors", "Errors");
  if (pictures) sections.emplace_back("matches", "Best and worst matches");
  sections.emplace_back("seconds", "Seconds");
  page.set("sections", section_links(sections));
  return fill_template(report_page_template, page);
}

}  // namespace

std::string render_report(const std::vector<ReportResult>& results, const ReportSetting& setting) {
  return page_html(make_view(results), setting.title, setting.pictures ? setting.pairs : 0);
}

}  // namespace tool::report
