// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Maps that the laws of matchers are tried on, and how their answers are compared.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "homolog/core/feature_map.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/core/points.hpp"
#include "homolog/kernels/normalize.hpp"
#include "homolog/kernels/sample.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/testing/laws.hpp"

namespace homolog::inline v0_1::testing {

namespace detail {

inline constexpr float padding = -std::numeric_limits<float>::infinity();

/// L2-normalised features of independent random directions: a cell resembles itself only.
inline FeatureMap random_features(int rows, int cols, int dim, unsigned seed) {
  FeatureMap map(rows, cols, dim);
  map.values = random_matrix(rows * cols, dim, seed, -1, 1);
  normalize_rows(map.values);
  return map;
}

/// A map of one value with a 4x5 patch of random similarities, its corner at (row, col).
inline FloatMatrix patch_at(int row, int col, unsigned seed, float background) {
  FloatMatrix map = random_matrix(20, 30, 0, background, background);
  const FloatMatrix patch = random_matrix(4, 5, seed, 0.2F, 0.9F);
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 5; ++x) map(row + y, col + x) = patch(y, x);
  }
  map(row + 1, col + 2) = 1;  // far from the patch's border, and above all others
  return map;
}

inline double distance_to_box(Point<GridFrame> point, double x1, double y1, double x2, double y2) {
  return (std::max)({x1 - point.x, point.x - x2, y1 - point.y, point.y - y2, 0.0});
}

inline double largest_step(Point<GridFrame> a, Point<GridFrame> b) {
  return (std::max)(std::abs(a.x - b.x), std::abs(a.y - b.y));
}

inline bool same(const Match& a, const Match& b) {
  return a.cell == b.cell && a.score == b.score && a.mutual == b.mutual;
}

/// Answers to queries at the given cells of `source`.
template <class M>
std::vector<Match> match_cells(const M& matcher, const FeatureMap& source, const FeatureMap& target,
                               const Points<GridFrame>& cells, int threads = 1) {
  const FloatMatrix found = sample_descriptors(source, cells, Query::nearest);
  return match_queries(matcher, {source, target, cells, found}, {threads});
}

/// Cells of a map that are `margin` or more from its border.
inline Points<GridFrame> inner_cells(const FeatureMap& map, int margin) {
  Points<GridFrame> cells;
  for (int y = margin; y < map.rows - margin; ++y) {
    for (int x = margin; x < map.cols - margin; ++x) {
      cells.push_back({static_cast<double>(x), static_cast<double>(y)});
    }
  }
  return cells;
}

}  // namespace detail
}  // namespace homolog::inline v0_1::testing
