// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A user's own pairs: one JSON object a line.
///
/// `{"source":"a.png","target":"b.png","category":"car","source_keypoints":[[x,y],...],
/// "target_keypoints":[[x,y],...],"target_box":[x1,y1,x2,y2]}` with paths inside the data set's
/// folder; `target_box` is optional, further keys are ignored.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "homolog/datasets/dataset.hpp"

namespace homolog::inline v0_1 {

/// Reads one line of a pair list, without looking at the pictures it names.
///
/// @param line one JSON object
/// @param number the line's number; makes the pair's name unique
/// @param name what the list is called in errors
/// @param root folder that the pictures' paths are joined to
/// @throws DatasetError for malformed JSON, a missing key, a path that leaves the folder, an empty
/// or unequal keypoint list; PointError for a coordinate that no picture can have
Pair parse_jsonl_pair(std::string_view line, std::size_t number, const std::string& name,
                      const std::filesystem::path& root);

/// Reads `ROOT/SPLIT.jsonl`.
///
/// The PCK threshold is relative to the target box when any line has one (a line without a box gets
/// the bounding box of its target keypoints), and otherwise to the bounding box of the target
/// keypoints.
///
/// @throws DatasetError when the folder, the list or a picture is missing, a line is malformed or
/// there is no pair; PointError for a coordinate that no picture can have
Dataset load_jsonl(const std::filesystem::path& root, const std::string& split);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/datasets/detail/jsonl_inl.hpp"
#endif
