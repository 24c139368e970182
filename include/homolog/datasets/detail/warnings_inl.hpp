// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of datasets/warnings.hpp.

#include <algorithm>
#include <string>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/warnings.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE std::vector<std::string> dataset_warnings(const Dataset& dataset) {
  std::vector<std::string> warnings;
  const auto count = dataset.pairs.size();
  // A keypoint counts as outside when rounding, 1-based coordinates or the width of a line cannot
  // explain it.
  const auto outside = [&](const Pair& pair) {
    if (dataset.norm != ThresholdNorm::target_box || !pair.target_box) return false;
    const Box<ImageFrame>& box = *pair.target_box;
    const double slack = 1 + 0.05 * (std::max)(box.width(), box.height());  // [px]
    const auto& points = pair.target_keypoints;
    return std::any_of(points.begin(), points.end(), [&](const auto& point) {
      return point.x < box.x1 - slack || point.x > box.x2 + slack || point.y < box.y1 - slack ||
             point.y > box.y2 + slack;
    });
  };
  const auto strange = [](const Pair& pair) {
    return !detail::is_utf8(pair.name) || !detail::is_utf8(pair.category) ||
           !detail::is_utf8(pair.source.string()) || !detail::is_utf8(pair.target.string());
  };
  const auto say = [&](const auto& concerns, const char* what) {
    const auto& pairs = dataset.pairs;
    const auto found = std::count_if(pairs.begin(), pairs.end(), concerns);
    if (found == 0) return;
    const Pair& first = *std::find_if(pairs.begin(), pairs.end(), concerns);
    warnings.push_back(detail::text(dataset.name, " ", dataset.split, ": ", found, " of ", count,
                                    " pairs ", what, "; the first is ",
                                    printable_text(first.name, whole_text)));
  };
  say(outside,
      "have target keypoints outside their target box, whose larger side the threshold is measured "
      "by; are boxes given as x, y, width, height instead of x1, y1, x2, y2?");
  say(strange,
      "have a name, category or picture that is not UTF-8; result files write such a byte as "
      "\\xNN");
  return warnings;
}

}  // namespace homolog::inline v0_1
