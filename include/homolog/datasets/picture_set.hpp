// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The distinct pictures of a data set, checked against its annotations before any is decoded.

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/points.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/validate.hpp"
#include "homolog/features/feature_source.hpp"
#include "homolog/images/decode.hpp"

namespace homolog::inline v0_1 {

/// Points [N,2] px of a picture that is mirrored left to right.
///
/// @param width of the picture [px]
inline Points<ImageFrame> flip_points(const Points<ImageFrame>& points, int width) {
  Points<ImageFrame> flipped = points;
  for (auto& point : flipped) point.x = width - 1 - point.x;
  return flipped;
}

/// The distinct pictures of a data set and, for each pair, which two they are.
struct PictureSet {
  std::vector<PictureId> pictures;                           ///< in the order of the pairs
  std::vector<std::pair<std::size_t, std::size_t>> of_pair;  ///< source and target of each pair
  std::vector<std::vector<std::size_t>> as_source;           ///< pairs that start at each picture
  std::vector<std::vector<std::size_t>> as_target;           ///< pairs that end at each picture
  /// Pictures whose inputs have one size, which may share a batch; by width, then height.
  std::vector<std::vector<std::size_t>> of_one_size;

  /// Width and height [px] of a picture as decoded.
  Size size(std::size_t picture) const { return pictures[picture].transform.image.image; }
  /// Points of a picture's file [px] in the picture, which may be mirrored.
  Points<ImageFrame> seen(std::size_t picture, const Points<ImageFrame>& points) const {
    return pictures[picture].flip ? flip_points(points, size(picture).width) : points;
  }
};

/// Reads every picture's size from its header and checks all annotations against it, so that bad
/// data stops a run before any forward pass.
///
/// @param transform turns a picture's Size into its FrameTransform
/// @throws ImageError, FileError for a picture; as validate_pair() for a pair; what `transform`
/// throws
template <class ToTransform>
PictureSet make_picture_set(const Dataset& dataset, const ToTransform& transform) {
  PictureSet set;
  std::map<std::pair<std::string, bool>, std::size_t> known;
  const auto find = [&](const std::string& path, bool flip) {
    const auto [entry, added] = known.try_emplace({path, flip}, set.pictures.size());
    if (added) set.pictures.push_back({path, flip, {}});
    return entry->second;
  };
  for (const Pair& pair : dataset.pairs) {
    const std::size_t source = find(pair.source.string(), pair.flip);
    set.of_pair.emplace_back(source, find(pair.target.string(), pair.flip));
  }
  set.as_source.resize(set.pictures.size());
  set.as_target.resize(set.pictures.size());
  for (std::size_t i = 0; i < set.of_pair.size(); ++i) {
    set.as_source[set.of_pair[i].first].push_back(i);
    set.as_target[set.of_pair[i].second].push_back(i);
  }
  std::map<std::pair<int, int>, std::vector<std::size_t>> by_size;
  for (std::size_t i = 0; i < set.pictures.size(); ++i) {
    PictureId& picture = set.pictures[i];
    picture.transform = transform(read_image_size(picture.path));
    const Size input = picture.transform.image.input;
    by_size[{input.width, input.height}].push_back(i);
  }
  for (auto& [size, pictures] : by_size) set.of_one_size.push_back(std::move(pictures));
  for (std::size_t i = 0; i < dataset.pairs.size(); ++i) {
    const auto& [source, target] = set.of_pair[i];
    validate_pair(dataset.pairs[i], set.size(source), set.size(target));
  }
  return set;
}

/// The length s [px] of every pair by the data set's norm; PCK accepts distances up to alpha * s.
///
/// @throws DatasetError naming the first pair that has none
inline std::vector<double> threshold_scales(const Dataset& dataset, const PictureSet& set) {
  std::vector<double> scales;
  for (std::size_t i = 0; i < dataset.pairs.size(); ++i) {
    scales.push_back(
        threshold_scale(dataset.pairs[i], dataset.norm, set.size(set.of_pair[i].second)));
  }
  return scales;
}

}  // namespace homolog::inline v0_1
