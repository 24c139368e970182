// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// SPair-71k in its own layout: `Layout/{large,small}/{trn,val,test}.txt`, `PairAnnotation/`,
/// `ImageAnnotation/`, `JPEGImages/`.

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/datasets/dataset.hpp"

namespace homolog::inline v0_1 {

/// Which pairs of a split to load.
struct SpairOptions {
  std::string layout = "large";         ///< "large" (70,958 pairs in all) or "small"
  std::vector<std::string> categories;  ///< only these; empty: all
  std::size_t limit = 0;                ///< only the first so many of them; 0: all
};

/// One picture's annotation.
struct SpairImage {
  std::string filename;                                   ///< in `JPEGImages/CATEGORY/`
  std::string category;                                   ///< such as "aeroplane"
  Size size;                                              ///< [px]
  Box<ImageFrame> box;                                    ///< [px] around the object
  std::map<int, std::optional<Point<ImageFrame>>> parts;  ///< [px] by id; empty where not visible
};

/// One line of a layout file, such as `000167-2008_007604-2009_001056:aeroplane`.
struct SpairEntry {
  std::string line;         ///< also the name of the pair's annotation
  std::string source_stem;  ///< the source's file name without extension, "2008_007604"
  std::string target_stem;  ///< the target's, "2009_001056"
  std::string category;     ///< behind the colon, "aeroplane"
};

/// Splits one line of a layout file into a number, two stems and a category.
///
/// @param where what the line is called in errors
/// @throws DatasetError when it has another form or a part could leave the data set's folder
SpairEntry parse_spair_entry(std::string_view line, const std::string& where);

/// Reads the text of one file of `PairAnnotation/`, without looking at the pictures it names.
///
/// @param name what the text is called in errors
/// @param entry the layout's line that led here; the annotation must agree with it
/// @param root the data set's folder
/// @throws DatasetError for malformed JSON, a missing or contradictory key; PointError for a
/// keypoint outside its picture
Pair parse_spair_pair(std::string_view json_text, const std::string& name, const SpairEntry& entry,
                      const std::filesystem::path& root);

/// Reads one split.
///
/// The names of the pairs are the lines of the layout file. The PCK threshold is relative to the
/// target box: max(w, h), without +1. Coordinates are kept as annotated.
///
/// @param split "trn", "val" or "test"
/// @throws SettingError for another split or layout; DatasetError when a folder, list, annotation
/// or picture is missing, one is malformed or contradicts another, a category has no pair or no
/// pair is left; PointError for a keypoint outside its picture
Dataset load_spair(const std::filesystem::path& root, const std::string& split,
                   const SpairOptions& options = {});

/// Reads one file of `ImageAnnotation/`: the keypoints of a picture by part, null where a part is
/// not visible.
///
/// @throws DatasetError for a missing or malformed file; PointError for a keypoint outside the
/// picture
SpairImage load_spair_image_annotation(const std::filesystem::path& path);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/datasets/detail/spair_inl.hpp"
#endif
