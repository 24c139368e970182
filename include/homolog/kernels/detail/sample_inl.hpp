// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of kernels/sample.hpp.

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/points.hpp"
#include "homolog/kernels/detail/check.hpp"
#include "homolog/kernels/normalize.hpp"
#include "homolog/kernels/sample.hpp"

namespace homolog::inline v0_1 {

namespace detail {

inline Eigen::Index nearest_cell(const FeatureMap& map, Point<GridFrame> point) {
  const CellRange& content = map.content;
  return nearest_index(point.y, content.y1, content.y2) * map.cols +
         nearest_index(point.x, content.x1, content.x2);
}

HOMOLOG_INLINE Neighbours neighbours(double coordinate, int begin, int end) {
  const double inside = std::clamp(coordinate, static_cast<double>(begin), end - 1.0);
  const double low = std::floor(inside);
  const auto first = static_cast<Eigen::Index>(low);
  return {first, std::min<Eigen::Index>(first + 1, end - 1), static_cast<float>(inside - low)};
}

}  // namespace detail

HOMOLOG_INLINE FloatMatrix sample_descriptors(const FeatureMap& map, const Points<GridFrame>& cells,
                                              Query query) {
  detail::require_feature_map(map, "sample_descriptors");
  const Eigen::Index dim = map.values.cols();
  FloatMatrix descriptors(static_cast<Eigen::Index>(cells.size()), dim);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Point<GridFrame> point = cells[i];
    if (!is_finite(point)) {
      throw PointError(detail::text("sample_descriptors: query ", i, " (", point.x, ", ", point.y,
                                    ") is not finite"));
    }
    float* const descriptor = detail::row_of(descriptors, static_cast<Eigen::Index>(i));
    if (query == Query::nearest) {
      std::copy_n(detail::row_of(map.values, detail::nearest_cell(map, point)), dim, descriptor);
      continue;
    }
    const auto x = detail::neighbours(point.x, map.content.x1, map.content.x2);
    const auto y = detail::neighbours(point.y, map.content.y1, map.content.y2);
    std::fill_n(descriptor, dim, 0.0F);
    const auto add = [&](Eigen::Index row, Eigen::Index col, float weight) {
      // A neighbour of weight zero is not read: 0 * NaN would spoil an exact hit.
      if (!(weight > 0)) return;
      const float* const cell = detail::row_of(map.values, row * map.cols + col);
      for (Eigen::Index k = 0; k < dim; ++k) descriptor[k] += weight * cell[k];
    };
    add(y.first, x.first, (1 - y.weight) * (1 - x.weight));
    add(y.first, x.second, (1 - y.weight) * x.weight);
    add(y.second, x.first, y.weight * (1 - x.weight));
    add(y.second, x.second, y.weight * x.weight);
  }
  if (query == Query::bilinear) normalize_rows(descriptors);
  return descriptors;
}

}  // namespace homolog::inline v0_1
