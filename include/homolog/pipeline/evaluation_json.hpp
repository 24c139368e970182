// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// An Evaluation as JSON (numbers in percent, stable keys) and as one line a pair.

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "homolog/core/transforms.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/pipeline/evaluate.hpp"

namespace homolog::inline v0_1 {

/// A fraction in percent with four decimals, so that equal runs give equal files.
inline double percent(double fraction) { return std::round(fraction * 1e6) / 1e4; }

/// Points as JSON, `[[x, y], ...]`.
inline nlohmann::ordered_json points_json(const Points<ImageFrame>& points) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& point : points) json.push_back({point.x, point.y});
  return json;
}

/// The result file's content, but for the fields only the caller knows (backbone, layer, matcher).
///
/// Bytes of names that are no UTF-8, which dump() would refuse, stand as `\xE9`.
///
/// @param image_size [px] input side, 0 for native sizes
nlohmann::ordered_json evaluation_json(const Evaluation& evaluation, const Dataset& dataset,
                                       Resize resize, int image_size);

/// One JSON object a line and pair: what was predicted, the truth, scores and threshold length.
std::string predictions_jsonl(const Evaluation& evaluation, const Dataset& dataset);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/pipeline/detail/evaluation_json_inl.hpp"
#endif
