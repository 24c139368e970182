// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Checks shared by the kernels.

#include <Eigen/Core>

#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"

namespace homolog::inline v0_1::detail {

/// @throws ShapeError when the content is empty or reaches outside the grid
inline void require_content(const FeatureMap& map, const char* where) {
  const CellRange& content = map.content;
  if (content.x1 < 0 || content.y1 < 0 || content.x1 >= content.x2 || content.y1 >= content.y2 ||
      content.x2 > map.cols || content.y2 > map.rows) {
    throw ShapeError(text(where, ": content cells [", content.x1, ", ", content.x2, ") x [",
                          content.y1, ", ", content.y2, ") are empty or outside the grid of ",
                          map.rows, " rows and ", map.cols, " columns"));
  }
}

/// @throws ShapeError when a map's values do not fit its grid, or its content is empty or outside
/// it
inline void require_feature_map(const FeatureMap& map, const char* where) {
  require_content(map, where);
  if (map.values.rows() != static_cast<Eigen::Index>(map.rows) * map.cols) {
    throw ShapeError(text(where, ": feature map has ", map.values.rows(), " descriptors for ",
                          map.rows, " rows and ", map.cols, " columns"));
  }
}

}  // namespace homolog::inline v0_1::detail
