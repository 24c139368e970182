// SPDX-License-Identifier: Apache-2.0
#include "report/view.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "homolog/core/decimal_number.hpp"
#include "homolog/core/field.hpp"
#include "homolog/selection/fields.hpp"
#include "homolog/selection/matchers.hpp"
#include "report/read_result.hpp"

namespace tool::report {

using homolog::decimal_text;
using homolog::text;

namespace {

std::string tuning_label(const ReportTuning& tuning, bool with_seed) {
  std::string label = blocks_label(tuning.unfreeze);
  std::string more = tuning.loss;
  if (tuning.lora_rank > 0) more += text(", LoRA rank ", tuning.lora_rank);
  if (with_seed && !tuning.seed.empty()) more += ", seed " + tuning.seed;
  return label + " (" + more + ")";
}

std::string result_label(const ReportResult& result) {
  std::string label = result.backbone.empty() ? result.file.stem().string() : result.backbone;
  if (result.tuning) {
    label += ", " + tuning_label(*result.tuning, true);
  } else if (!result.backbone.empty() && result.matcher != "copy-coordinates") {
    label += ", frozen";
  }
  return result.matcher.empty() ? label : label + ", " + matcher_label(result);
}

// What the library's matcher of this name has; nothing for any other.
std::map<std::string, std::string> default_setting(const std::string& matcher) {
  std::map<std::string, std::string> setting;
  homolog::for_each_policy<homolog::AnyMatcher>([&](const auto& policy) {
    if (policy.name != matcher) return;
    homolog::for_each_field(policy.setting, [&setting](const auto& field, const auto& value) {
      setting[std::string(field.name)] = setting_text(homolog::field_json(value));
    });
  });
  return setting;
}

}  // namespace

std::string plain_number(double value) { return text(value); }

std::string alpha_label(double alpha) { return text("@", decimal_text(alpha)); }

std::string blocks_label(int unfreeze) {
  return unfreeze == 1 ? "last block tuned" : text("last ", unfreeze, " blocks tuned");
}

// A setting that has a symbol is always shown, any other one unless it is the default of the
// library's matcher. So different settings have different labels.
std::string matcher_label(const ReportResult& result) {
  std::string name = result.matcher;
  if (name == "soft-argmax") name = "soft argmax";
  if (name == "window-soft-argmax") name = "window soft-argmax";
  if (name == "kernel-soft-argmax") name = "kernel soft-argmax";
  if (name == "copy-coordinates") name = "copied coordinates";
  std::string settings;
  const auto add = [&settings](const std::string& key, const std::string& value) {
    settings += (settings.empty() ? "" : ", ") + key + " " + value;
  };
  auto others = result.matcher_setting;
  for (const auto& [key, symbol] : {std::pair{"window_radius", "r"}, std::pair{"sigma", "\u03c3"},
                                    std::pair{"temperature", "\u03c4"}}) {
    const auto found = others.find(key);
    if (found == others.end()) continue;
    add(symbol, found->second);
    others.erase(found);
  }
  const auto defaults = default_setting(result.matcher);
  for (const auto& [key, value] : others) {
    const auto usual = defaults.find(key);
    if (usual == defaults.end() || usual->second != value) add(key, value);
  }
  return settings.empty() ? name : name + " (" + settings + ")";
}

std::string threshold_label(const std::string& threshold) {
  if (threshold == "target-bbox") return "larger side of the target's annotated box";
  if (threshold == "keypoint-bbox") return "larger side of the box around the target's keypoints";
  if (threshold == "image-size") return "larger side of the target picture";
  return threshold;
}

std::string comparison_label(const std::string& comparison) {
  return comparison == "<=" ? "\u2264" : comparison;
}

std::string input_label(const ReportResult& result) {
  return result.image_size == 0 ? result.resize
                                : text(result.resize, " ", result.image_size, " px");
}

Spread spread_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  double sum = 0;
  for (const double value : values) sum += value;
  const auto [low, high] = std::ranges::minmax(values);
  return {sum / static_cast<double>(values.size()), low, high, values.size()};
}

double score_at(const ReportScores& scores, Aggregation aggregation, double alpha) {
  const auto& list = aggregation == Aggregation::per_point ? scores.per_point : scores.per_image;
  const auto found = list.find(alpha);
  return found == list.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

ReportView make_view(const std::vector<ReportResult>& results) {
  if (results.empty()) throw ReportError("a report needs at least one result");
  ReportView view;
  std::set<double> alphas;
  std::map<std::string, int> uses;
  const auto full_label = [](const ReportResult& result) {
    return result.dataset + '\n' + result.split + '\n' + result_label(result);
  };
  for (std::size_t i = 0; i < results.size(); ++i) {
    const ReportResult& result = results[i];
    for (const auto& [alpha, ignored] : result.total.per_point) alphas.insert(alpha);
    ++uses[full_label(result)];
    auto group = std::ranges::find_if(view.groups, [&result](const ReportGroup& other) {
      return other.dataset == result.dataset && other.split == result.split &&
             other.threshold == result.threshold;
    });
    if (group == view.groups.end()) {
      view.groups.push_back({result.dataset, result.split, result.threshold, {}});
      group = view.groups.end() - 1;
    }
    group->members.push_back(i);
  }
  for (ReportGroup& group : view.groups) {
    for (std::size_t& member : group.members) {
      const ReportResult& result = results[std::exchange(member, view.results.size())];
      std::string label = result_label(result);
      if (uses[full_label(result)] > 1) label += " [" + result.file.stem().string() + "]";
      view.results.emplace_back(result);
      view.labels.push_back(std::move(label));
    }
  }
  view.alphas.assign(alphas.begin(), alphas.end());
  if (!alphas.contains(0.1)) view.main_alpha = view.alphas[(view.alphas.size() - 1) / 2];
  return view;
}

std::string detail_of(const ReportResult& result, const char* key) {
  const auto found = result.details.find(key);
  return found == result.details.end() ? "" : found->second;
}

std::string method_key(const ReportResult& result) {
  return joined_key(result.backbone, result.layer.value_or(-1), matcher_label(result),
                    result.resize, result.comparison, detail_of(result, "query"),
                    detail_of(result, "final_norm"), detail_of(result, "facet"),
                    detail_of(result, "resize_filter"), detail_of(result, "normalization"),
                    detail_of(result, "position_interpolation"));
}

std::string recipe_key(const ReportTuning& tuning) {
  return joined_key(tuning.loss, tuning.lora_rank, tuning.train_dataset, tuning.train_split,
                    tuning.learning_rate.value_or(-1), tuning.batch_size.value_or(-1));
}

std::string recipe_label(const ReportTuning& tuning) {
  std::string label = tuning.loss;
  if (tuning.lora_rank > 0) label += text(", LoRA rank ", tuning.lora_rank);
  if (!tuning.train_dataset.empty()) {
    label += ", tuned on " + tuning.train_dataset +
             (tuning.train_split.empty() ? "" : " " + tuning.train_split);
  }
  if (tuning.learning_rate) label += ", learning rate " + plain_number(*tuning.learning_rate);
  if (tuning.batch_size) label += text(", batch ", *tuning.batch_size);
  return label;
}

}  // namespace tool::report
