// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of pipeline/evaluation_json.hpp.

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/decimal_number.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/core/value_names.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/warnings.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "homolog/pipeline/evaluation_json.hpp"

namespace homolog::inline v0_1 {

namespace detail {

inline nlohmann::ordered_json scores_json(const std::vector<double>& alphas,
                                          const std::vector<double>& fractions) {
  auto json = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < alphas.size(); ++i) {
    json[decimal_text(alphas[i])] = percent(fractions[i]);
  }
  return json;
}

}  // namespace detail

HOMOLOG_INLINE nlohmann::ordered_json evaluation_json(const Evaluation& evaluation,
                                                      const Dataset& dataset, Resize resize,
                                                      int image_size) {
  nlohmann::ordered_json json;
  json["dataset"] = dataset.name;
  json["split"] = dataset.split;
  json["protocol"] = {{"name", "homolog"},
                      {"resize", value_name(resize)},
                      {"image_size", image_size},
                      {"threshold", value_name(dataset.norm)},
                      {"comparison", "<="}};
  json["pairs"] = evaluation.total.pairs;
  json["points"] = evaluation.total.points;
  json["distinct_images"] = evaluation.distinct_images;
  json["backbone_forwards"] = evaluation.backbone_forwards;
  json["pck"] = {{"per_point", detail::scores_json(evaluation.alphas, evaluation.total.per_point)},
                 {"per_image", detail::scores_json(evaluation.alphas, evaluation.total.per_image)}};
  auto categories = nlohmann::ordered_json::object();
  for (const auto& [category, scores] : evaluation.per_category) {
    categories[category] = {
        {"pairs", scores.pairs},
        {"points", scores.points},
        {"per_point", detail::scores_json(evaluation.alphas, scores.per_point)},
        {"per_image", detail::scores_json(evaluation.alphas, scores.per_image)}};
  }
  json["per_category"] = std::move(categories);
  if (evaluation.mutual) {
    const auto& [pairs, points, per_point, per_image] = *evaluation.mutual;
    const std::vector<double> alphas = points > 0 ? evaluation.alphas : std::vector<double>{};
    json["mutual"] = {{"pairs", pairs},
                      {"points", points},
                      {"share", percent(static_cast<double>(points) /
                                        static_cast<double>(evaluation.total.points))},
                      {"per_point", detail::scores_json(alphas, per_point)},
                      {"per_image", detail::scores_json(alphas, per_image)}};
  }
  json["warnings"] = dataset_warnings(dataset);
  json["seconds"] = {{"decode", evaluation.seconds.decode},
                     {"backbone", evaluation.seconds.backbone},
                     {"match", evaluation.seconds.match},
                     {"total", evaluation.seconds.total}};
  return detail::with_utf8(json);
}

HOMOLOG_INLINE std::string predictions_jsonl(const Evaluation& evaluation, const Dataset& dataset) {
  std::string lines;
  for (std::size_t i = 0; i < dataset.pairs.size(); ++i) {
    const Pair& pair = dataset.pairs[i];
    const PairResult& answer = evaluation.pairs[i];
    nlohmann::ordered_json line{{"pair", pair.name},
                                {"category", pair.category},
                                {"source", pair.source.string()},
                                {"target", pair.target.string()},
                                {"flip", pair.flip},
                                {"source_keypoints", points_json(pair.source_keypoints)},
                                {"predicted", points_json(answer.predicted)},
                                {"truth", points_json(answer.truth)},
                                {"score", answer.scores},
                                {"threshold_scale", answer.errors.threshold_scale}};
    if (evaluation.mutual) line["mutual"] = answer.mutual;
    if (!answer.margins.empty()) line["margin"] = answer.margins;
    lines += json_text(line) + "\n";
  }
  return lines;
}

}  // namespace homolog::inline v0_1
