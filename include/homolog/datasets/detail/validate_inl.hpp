// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of datasets/validate.hpp.

#include <cstddef>
#include <optional>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/validate.hpp"

namespace homolog::inline v0_1 {

namespace detail {

inline void validate_side(const Pair& pair, const char* side, const Points<ImageFrame>& points,
                          const std::optional<Size>& annotated, Size size) {
  if (size.width <= 0 || size.height <= 0) {
    throw DatasetError(text("pair ", pair.name, ": the ", side, " picture has size ", size.width,
                            "x", size.height));
  }
  if (annotated && *annotated != size) {
    throw DatasetError(text("pair ", pair.name, ": the ", side, " picture is annotated as ",
                            annotated->width, "x", annotated->height, " but is ", size.width, "x",
                            size.height));
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto [x, y] = points[i];
    // Written so that NaN fails. Annotations are partly 1-based, so W and H themselves are inside.
    if (!(x >= 0 && x <= size.width && y >= 0 && y <= size.height)) {
      throw PointError(text("pair ", pair.name, ": ", side, " keypoint ", i, " at (", x, ", ", y,
                            ") is not inside its ", size.width, "x", size.height, " picture"));
    }
  }
}

}  // namespace detail

HOMOLOG_INLINE void validate_pair(const Pair& pair, Size source, Size target) {
  const std::size_t count = pair.source_keypoints.size();
  if (count == 0) throw DatasetError("pair " + pair.name + ": no keypoints");
  if (pair.target_keypoints.size() != count) {
    throw DatasetError(detail::text("pair ", pair.name, ": ", count, " source keypoints but ",
                                    pair.target_keypoints.size(), " target keypoints"));
  }
  if (!pair.keypoint_ids.empty() && pair.keypoint_ids.size() != count) {
    throw DatasetError(detail::text("pair ", pair.name, ": ", count, " keypoints but ",
                                    pair.keypoint_ids.size(), " keypoint ids"));
  }
  detail::validate_side(pair, "source", pair.source_keypoints, pair.source_size, source);
  detail::validate_side(pair, "target", pair.target_keypoints, pair.target_size, target);
  if (pair.target_box) {
    const auto& box = *pair.target_box;
    // A box may extend over an edge because of rounding, but a box larger than the picture would
    // raise the PCK threshold unnoticed.
    const bool fits = box.x1 <= box.x2 && box.y1 <= box.y2 && box.width() <= target.width + 1 &&
                      box.height() <= target.height + 1;
    if (!fits) {
      throw DatasetError(detail::text("pair ", pair.name, ": target box [", box.x1, ", ", box.y1,
                                      ", ", box.x2, ", ", box.y2, "] does not fit its ",
                                      target.width, "x", target.height, " picture"));
    }
  }
}

}  // namespace homolog::inline v0_1
