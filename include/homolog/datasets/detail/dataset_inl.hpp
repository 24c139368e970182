// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of datasets/dataset.hpp.

#include <algorithm>
#include <cmath>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/points.hpp"
#include "homolog/datasets/dataset.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE Box<ImageFrame> bounding_box(const Points<ImageFrame>& points) {
  using P = Point<ImageFrame>;
  const auto [left, right] = std::minmax_element(points.begin(), points.end(),
                                                 [](const P& a, const P& b) { return a.x < b.x; });
  const auto [top, bottom] = std::minmax_element(points.begin(), points.end(),
                                                 [](const P& a, const P& b) { return a.y < b.y; });
  return {left->x, top->y, right->x, bottom->y};
}

HOMOLOG_INLINE double threshold_scale(const Pair& pair, ThresholdNorm norm, Size target_size) {
  double scale = 0;
  switch (norm) {
    case ThresholdNorm::target_box:
      if (!pair.target_box) throw DatasetError("pair " + pair.name + ": no target box");
      scale = (std::max)(pair.target_box->width(), pair.target_box->height());
      break;
    case ThresholdNorm::keypoint_box: {
      if (pair.target_keypoints.empty()) break;
      const Box<ImageFrame> box = bounding_box(pair.target_keypoints);
      scale = (std::max)(box.width(), box.height());
      break;
    }
    case ThresholdNorm::image_size:
      scale = (std::max)(target_size.width, target_size.height);
      break;
  }
  if (!(scale > 0) || !std::isfinite(scale)) {
    const bool no_box = norm == ThresholdNorm::keypoint_box && scale == 0;
    throw DatasetError(detail::text(
        "pair ", pair.name, ": threshold length is ", scale,
        ", expected a positive number of pixels",
        no_box ? "; give it a target box, as its target keypoints are all at one place" : ""));
  }
  return scale;
}

}  // namespace homolog::inline v0_1
