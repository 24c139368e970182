// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reads the descriptor of each query off a feature map.

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "homolog/core/feature_map.hpp"
#include "homolog/core/points.hpp"

namespace homolog::inline v0_1 {

/// How a query that lies between cell centres reads its feature.
enum class Query {
  nearest,   ///< the cell that contains it
  bilinear,  ///< interpolated between the four cells around it, then L2-normalised again
};
/// Their names, see value_name().
constexpr std::array<std::string_view, 2> value_names(Query) { return {"nearest", "bilinear"}; }

namespace detail {

/// The cell that contains a point, moved into the content where the point lies outside.
inline Eigen::Index nearest_index(double coordinate, int begin, int end) {
  return static_cast<Eigen::Index>(
      std::clamp(std::floor(coordinate + 0.5), static_cast<double>(begin), end - 1.0));
}

/// The two cells around a coordinate and the weight of the second.
struct Neighbours {
  Eigen::Index first = 0;
  Eigen::Index second = 0;
  float weight = 0;
};

Neighbours neighbours(double coordinate, int begin, int end);

}  // namespace detail

/// Descriptors [N,D] of the points `cells` [N,2] of an L2-normalised feature map.
///
/// Points outside the content (map.content) read its nearest cells, never padding.
///
/// @param map L2-normalised, see normalize_rows
/// @param cells fractional cells of that map
/// @return float32 [N,D], L2-normalised
/// @throws ShapeError when the map's sizes contradict each other or its content is empty;
/// PointError naming the first point that is not finite
FloatMatrix sample_descriptors(const FeatureMap& map, const Points<GridFrame>& cells, Query query);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/kernels/detail/sample_inl.hpp"
#endif
