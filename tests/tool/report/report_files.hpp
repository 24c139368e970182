// SPDX-License-Identifier: Apache-2.0
#pragma once

// Result files and prediction files as homolog evaluate writes them, made from chosen errors.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "report/read_result.hpp"
#include "support/test_data.hpp"

namespace homolog::test {

using Json = nlohmann::ordered_json;

/// Errors over s of one pair's points; s is 100 px.
using RelativeErrors = std::vector<double>;

inline Json percents(const std::vector<RelativeErrors>& pairs, bool per_image,
                     const std::vector<double>& alphas = {0.05, 0.1, 0.2}) {
  Json json = Json::object();
  for (const double alpha : alphas) {
    double hits = 0, points = 0, images = 0;
    for (const auto& pair : pairs) {
      const auto correct = std::ranges::count_if(pair, [&](double e) { return e <= alpha; });
      hits += static_cast<double>(correct);
      points += static_cast<double>(pair.size());
      images += static_cast<double>(correct) / static_cast<double>(pair.size());
    }
    const double fraction = per_image ? images / static_cast<double>(pairs.size()) : hits / points;
    json[detail::text(alpha)] = std::round(fraction * 1e6) / 1e4;
  }
  return json;
}

inline Json result_json(const std::vector<RelativeErrors>& pairs,
                        const std::string& category = "car") {
  std::size_t points = 0;
  for (const auto& pair : pairs) points += pair.size();
  const Json scores{{"per_point", percents(pairs, false)}, {"per_image", percents(pairs, true)}};
  Json of_category{{"pairs", pairs.size()}, {"points", points}};
  of_category.update(scores);
  return {{"dataset", "jsonl"},
          {"split", "test"},
          {"protocol",
           {{"name", "homolog"},
            {"resize", "squash"},
            {"image_size", 224},
            {"threshold", "target-bbox"},
            {"comparison", "<="}}},
          {"pairs", pairs.size()},
          {"points", points},
          {"distinct_images", 2},
          {"backbone_forwards", 2},
          {"pck", scores},
          {"per_category", {{category, of_category}}},
          {"seconds", {{"decode", 0.5}, {"backbone", 2}, {"match", 0.25}, {"total", 2.75}}},
          {"backbone", "dinov2_vitb14"},
          {"layer", 11},
          {"final_norm", true},
          {"query", "nearest"},
          {"matcher", {{"name", "argmax"}}}};
}

inline Json tuning_json(int unfreeze, int seed, const std::string& loss = "soft-argmax-mse") {
  return {{"unfreeze", unfreeze},
          {"lora_rank", 0},
          {"loss", loss},
          {"seed", seed},
          {"epoch", 2},
          {"step", 40},
          {"train_dataset", "jsonl"},
          {"train_split", "train"},
          {"learning_rate", 1e-5},
          {"batch_size", 8}};
}

inline Json prediction_json(const RelativeErrors& errors, const std::string& name = "a-b:car") {
  Json predicted = Json::array(), truth = Json::array(), score = Json::array();
  for (const double error : errors) {
    truth.push_back({10.0, 20.0});
    predicted.push_back({10.0 + 100 * error, 20.0});
    score.push_back(0.5);
  }
  return {{"pair", name},      {"category", "car"},       {"source", "a.png"},
          {"target", "b.png"}, {"predicted", predicted},  {"truth", truth},
          {"score", score},    {"threshold_scale", 100.0}};
}

inline std::string prediction_lines(const std::vector<RelativeErrors>& pairs) {
  std::string lines;
  for (const auto& pair : pairs) lines += prediction_json(pair).dump() + "\n";
  return lines;
}

/// A result without predictions, as read_result gives it.
inline tool::report::ReportResult read_json(const Json& json) {
  return tool::report::parse_result(json, "result.json");
}

}  // namespace homolog::test
