// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of datasets/jsonl.hpp.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/detail/json.hpp"
#include "homolog/datasets/jsonl.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE Pair parse_jsonl_pair(std::string_view line, std::size_t number,
                                     const std::string& name, const std::filesystem::path& root) {
  const std::string where = detail::text(name, " line ", number);
  const detail::Json json = detail::parse_json(line, where);
  const detail::JsonField object{json, where};
  const auto path = [&](const char* key) {
    const detail::JsonField field = object.at(key);
    if (!detail::is_inside_path(field.string())) field.fail("a path inside the data set's folder");
    return root / field.string();
  };
  Pair pair;
  pair.source = path("source");
  pair.target = path("target");
  pair.category = object.at("category").plain_name();
  pair.name = detail::numbered_pair_name(number, pair.source, pair.target, pair.category);
  pair.source_keypoints = object.at("source_keypoints").points();
  pair.target_keypoints = object.at("target_keypoints").points();
  if (pair.source_keypoints.size() != pair.target_keypoints.size()) {
    throw DatasetError(detail::text(where, ": ", pair.source_keypoints.size(),
                                    " source keypoints but ", pair.target_keypoints.size(),
                                    " target keypoints"));
  }
  detail::require_plausible(pair.source_keypoints, where, "source");
  detail::require_plausible(pair.target_keypoints, where, "target");
  if (object.has("target_box")) pair.target_box = object.at("target_box").box();
  return pair;
}

HOMOLOG_INLINE Dataset load_jsonl(const std::filesystem::path& root, const std::string& split) {
  detail::require_directory(root);
  if (!detail::is_plain_name(split)) {
    throw DatasetError(detail::text(root.string(), ": '", printable_text(split),
                                    "' cannot be the name of a split"));
  }
  if (split.ends_with(".jsonl")) {
    throw DatasetError(detail::text(root.string(), ": a split is named without .jsonl, expected '",
                                    split.substr(0, split.size() - 6), "', got '", split, "'"));
  }
  const std::filesystem::path path = root / (split + ".jsonl");
  const std::string content = detail::read_annotation(path, detail::list_bytes);
  Dataset dataset{"jsonl", split, ThresholdNorm::keypoint_box, {}};
  detail::PictureCheck pictures;
  detail::for_each_line(content, path.string(), detail::annotation_bytes,
                        [&](std::string_view line, std::size_t number) {
                          Pair pair = parse_jsonl_pair(line, number, path.string(), root);
                          const auto asker = detail::text(path.string(), " line ", number);
                          pictures.require(pair.source, asker);
                          pictures.require(pair.target, asker);
                          dataset.pairs.push_back(std::move(pair));
                        });
  if (dataset.pairs.empty()) throw DatasetError(path.string() + ": no pairs");
  if (std::any_of(dataset.pairs.begin(), dataset.pairs.end(),
                  [](const Pair& p) { return p.target_box.has_value(); })) {
    dataset.norm = ThresholdNorm::target_box;
    for (Pair& pair : dataset.pairs) {
      if (!pair.target_box) pair.target_box = bounding_box(pair.target_keypoints);
    }
  }
  return dataset;
}

}  // namespace homolog::inline v0_1
