// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of datasets/spair.hpp.

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/detail/json.hpp"
#include "homolog/datasets/spair.hpp"
#include "homolog/datasets/validate.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// [W, H, depth], the order SPair-71k uses.
inline Size spair_size(const JsonField& field) {
  field.array(3);
  field.at(std::size_t{2}).integer(1, 4);
  return {field.at(std::size_t{0}).integer(1, longest_side),
          field.at(std::size_t{1}).integer(1, longest_side)};
}

/// The number of a keypoint, which SPair-71k writes as a string.
inline int spair_part_id(const std::string& digits, const std::string& where) {
  const auto id = parse_number<int>(digits);
  if (!id || *id < 0 || *id > 9999) {
    throw DatasetError(text(where, ": expected a keypoint id such as \"12\", got \"",
                            printable_text(digits), "\""));
  }
  return *id;
}

inline void require_equal(const JsonField& field, const std::string& expected) {
  if (field.string() != expected) field.fail(text("'", expected, "'"));
}

/// A file name, which must have the stem that the layout file gives.
inline std::string spair_picture(const JsonField& field, const std::string& stem) {
  const std::string& name = field.plain_name();
  if (std::filesystem::path(name).stem().string() != stem) {
    field.fail(text("a picture named '", stem, "' as in the layout"));
  }
  return name;
}

}  // namespace detail

HOMOLOG_INLINE SpairEntry parse_spair_entry(std::string_view line, const std::string& where) {
  const auto fail = [&] {
    throw DatasetError(detail::text(where, ": expected NUMBER-SOURCE-TARGET:CATEGORY, got '",
                                    printable_text(line), "'"));
  };
  const std::size_t colon = line.rfind(':');
  if (colon == std::string_view::npos || !detail::is_plain_name(line)) fail();
  const std::string_view name = line.substr(0, colon);
  const std::size_t first = name.find('-');
  const std::size_t second = first == std::string_view::npos ? first : name.find('-', first + 1);
  if (second == std::string_view::npos || name.find('-', second + 1) != std::string_view::npos) {
    fail();
  }
  SpairEntry entry{std::string(line), std::string(name.substr(first + 1, second - first - 1)),
                   std::string(name.substr(second + 1)), std::string(line.substr(colon + 1))};
  const bool digits =
      name.substr(0, first).find_first_not_of("0123456789") == std::string_view::npos;
  if (first == 0 || !digits || entry.source_stem.empty() || entry.target_stem.empty() ||
      entry.category.empty()) {
    fail();
  }
  return entry;
}

HOMOLOG_INLINE Pair parse_spair_pair(std::string_view json_text, const std::string& name,
                                     const SpairEntry& entry, const std::filesystem::path& root) {
  if (json_text.size() > detail::annotation_bytes) {
    throw DatasetError(detail::text(name, ": ", json_text.size(), " bytes, the limit is ",
                                    detail::annotation_bytes));
  }
  const detail::Json json = detail::parse_json(json_text, name);
  const detail::JsonField object{json, name};
  detail::require_equal(object.at("filename"), entry.line);
  detail::require_equal(object.at("category"), entry.category);
  object.at("mirror").integer(0, 0);

  Pair pair;
  pair.name = entry.line;
  pair.category = entry.category;
  const std::filesystem::path folder = root / "JPEGImages" / entry.category;
  pair.source = folder / detail::spair_picture(object.at("src_imname"), entry.source_stem);
  pair.target = folder / detail::spair_picture(object.at("trg_imname"), entry.target_stem);
  pair.source_size = detail::spair_size(object.at("src_imsize"));
  pair.target_size = detail::spair_size(object.at("trg_imsize"));
  object.at("src_bndbox").box();
  pair.target_box = object.at("trg_bndbox").box();
  pair.source_keypoints = object.at("src_kps").points();
  pair.target_keypoints = object.at("trg_kps").points();
  const std::size_t count = pair.source_keypoints.size();
  const detail::JsonField ids = object.at("kps_ids");
  if (ids.array() != count || pair.target_keypoints.size() != count) {
    throw DatasetError(detail::text(name, ": 'src_kps', 'trg_kps' and 'kps_ids' have ", count, ", ",
                                    pair.target_keypoints.size(), " and ", ids.array(),
                                    " elements, expected equal numbers"));
  }
  std::set<int> seen;
  for (std::size_t i = 0; i < count; ++i) {
    const detail::JsonField id = ids.at(i);
    pair.keypoint_ids.push_back(detail::spair_part_id(id.string(), id.where));
    if (!seen.insert(pair.keypoint_ids.back()).second) {
      throw DatasetError(
          detail::text(id.where, ": keypoint id ", pair.keypoint_ids.back(), " occurs twice"));
    }
  }
  const std::array levels{"viewpoint_variation", "scale_variation", "truncation", "occlusion"};
  if (std::any_of(levels.begin(), levels.end(), [&](const char* key) { return object.has(key); })) {
    std::array<int, 4> level{};
    for (std::size_t i = 0; i < 4; ++i) level[i] = object.at(levels[i]).integer(0, 255);
    pair.variation = PairVariation{level[0], level[1], level[2], level[3]};
  }
  validate_pair(pair, *pair.source_size, *pair.target_size);
  return pair;
}

HOMOLOG_INLINE Dataset load_spair(const std::filesystem::path& root, const std::string& split,
                                  const SpairOptions& options) {
  if (split != "trn" && split != "val" && split != "test") {
    throw SettingError(detail::text("SPair-71k has the splits trn, val and test, not '",
                                    printable_text(split), "'"));
  }
  if (options.layout != "large" && options.layout != "small") {
    throw SettingError(detail::text("SPair-71k has the layouts large and small, not '",
                                    printable_text(options.layout), "'"));
  }
  detail::require_directory(root);
  const std::filesystem::path list = root / "Layout" / options.layout / (split + ".txt");
  const std::string content = detail::read_annotation(list, detail::list_bytes);
  std::vector<SpairEntry> entries;
  std::set<std::string> lines;
  std::set<std::string> found;
  detail::for_each_line(content, list.string(), 4096, [&](std::string_view line, std::size_t n) {
    SpairEntry entry = parse_spair_entry(line, detail::text(list.string(), " line ", n));
    if (!lines.insert(entry.line).second) {
      throw DatasetError(
          detail::text(list.string(), " line ", n, ": ", entry.line, " occurs twice"));
    }
    found.insert(entry.category);
    const auto& wanted = options.categories;
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), entry.category) != wanted.end()) {
      entries.push_back(std::move(entry));
    }
  });
  for (const std::string& category : options.categories) {
    if (!found.contains(category)) {
      std::string names;
      for (const auto& name : found) names += detail::text(names.empty() ? "" : ", ", name);
      throw DatasetError(
          detail::text(list.string(), ": no pair of category '", category, "'; it has ", names));
    }
  }
  if (entries.empty()) throw DatasetError(list.string() + ": no pairs");
  if (options.limit > 0 && entries.size() > options.limit) entries.resize(options.limit);

  Dataset dataset{"spair-71k", split, ThresholdNorm::target_box, {}};
  dataset.pairs.reserve(entries.size());
  detail::PictureCheck pictures;
  for (const SpairEntry& entry : entries) {
    const auto path = root / "PairAnnotation" / split / (entry.line + ".json");
    const std::string json = detail::read_annotation(path, detail::annotation_bytes);
    dataset.pairs.push_back(parse_spair_pair(json, path.string(), entry, root));
    pictures.require(dataset.pairs.back().source, path.string());
    pictures.require(dataset.pairs.back().target, path.string());
  }
  return dataset;
}

HOMOLOG_INLINE SpairImage load_spair_image_annotation(const std::filesystem::path& path) {
  const std::string name = path.string();
  const detail::Json json =
      detail::parse_json(detail::read_annotation(path, detail::annotation_bytes), name);
  const detail::JsonField object{json, name};
  SpairImage image;
  image.filename = object.at("filename").plain_name();
  image.category = object.at("category").plain_name();
  image.size = {object.at("image_width").integer(1, detail::longest_side),
                object.at("image_height").integer(1, detail::longest_side)};
  image.box = object.at("bndbox").box();
  const detail::JsonField parts = object.at("kps");
  if (!parts.value.is_object()) parts.fail("an object of keypoints by id");
  for (const auto& [key, value] : parts.value.items()) {
    const detail::JsonField part = parts.at(key.c_str());
    auto& point = image.parts[detail::spair_part_id(key, part.where)];
    if (value.is_null()) continue;
    point = part.point();
    if (!(point->x >= 0 && point->x <= image.size.width && point->y >= 0 &&
          point->y <= image.size.height)) {
      throw PointError(detail::text(part.where, " at (", point->x, ", ", point->y,
                                    ") is not inside its ", image.size.width, "x",
                                    image.size.height, " picture"));
    }
  }
  return image;
}

}  // namespace homolog::inline v0_1
