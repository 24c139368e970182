// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What every data set loader returns: a list of picture pairs with corresponding keypoints.

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/core/points.hpp"

namespace homolog::inline v0_1 {

/// Which length s the PCK threshold alpha * s is measured by.
enum class ThresholdNorm {
  target_box,    ///< larger side of the target thing's annotated box (SPair-71k)
  keypoint_box,  ///< larger side of the bounding box of the target keypoints (PF-WILLOW)
  image_size     ///< larger side of the target picture (PF-PASCAL)
};
/// Their names in result files, see value_name().
constexpr std::array<std::string_view, 3> value_names(ThresholdNorm) {
  return {"target-bbox", "keypoint-bbox", "image-size"};
}

/// Levels of difficulty of a pair, 0 = easy, as SPair-71k annotates them.
struct PairVariation {
  int viewpoint = 0;   ///< 0 easy, 1 medium, 2 hard
  int scale = 0;       ///< 0 easy, 1 medium, 2 hard
  int truncation = 0;  ///< 0 neither picture, 1 the source, 2 the target, 3 both
  int occlusion = 0;   ///< 0 neither picture, 1 the source, 2 the target, 3 both
  /// Equal when all four levels are.
  friend bool operator==(const PairVariation&, const PairVariation&) = default;
};

/// Two pictures and their corresponding keypoints: source_keypoints[i] is target_keypoints[i].
struct Pair {
  std::string name;                           ///< unique within the split
  std::string category;                       ///< of the thing; scores are given by category too
  std::filesystem::path source;               ///< picture whose keypoints are the queries
  std::filesystem::path target;               ///< picture in which they are looked for
  Points<ImageFrame> source_keypoints;        ///< [N,2] px, N >= 1
  Points<ImageFrame> target_keypoints;        ///< [N,2] px
  std::optional<Box<ImageFrame>> target_box;  ///< [px] required by ThresholdNorm::target_box
  std::optional<Size> source_size;  ///< [px] as annotated; checked against the decoded picture
  std::optional<Size> target_size;  ///< [px] as annotated; checked against the decoded picture
  bool flip = false;  ///< both pictures and their keypoints are to be mirrored left to right
  std::vector<int> keypoint_ids;  ///< [N] the part of the thing each keypoint shows; may be empty
  std::optional<PairVariation> variation;  ///< how hard the annotators found the pair (SPair-71k)
};

/// One split of a data set.
struct Dataset {
  std::string name;   ///< as the command's --dataset takes it, such as "spair-71k"
  std::string split;  ///< "trn", "train", "val", "test" ...
  ThresholdNorm norm = ThresholdNorm::target_box;  ///< the length s of its PCK threshold alpha * s
  std::vector<Pair> pairs;                         ///< also the order of an evaluation's results
};

/// The smallest box that holds all points; `points` must not be empty.
Box<ImageFrame> bounding_box(const Points<ImageFrame>& points);

/// The length s of a pair, in pixels of the target picture.
///
/// @param target_size size of the decoded target picture [px]
/// @throws DatasetError when the pair lacks the box the norm needs, or the length is not
/// positive and finite
double threshold_scale(const Pair& pair, ThresholdNorm norm, Size target_size);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/datasets/detail/dataset_inl.hpp"
#endif
