// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Points whose coordinate frame is part of their type, so that a point of one frame cannot be
/// handed to a function of another.
///
/// Convention of all frames: x to the right, y down, and the centre of pixel (or cell) (0, 0) is at
/// (0, 0); its edges are at -0.5 and +0.5.

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

/// Pixels of the picture as it was decoded.
struct ImageFrame {};
/// Pixels of the resized (and perhaps padded) picture that the backbone sees.
struct InputFrame {};
/// Cells of the backbone's patch grid; column x, row y, fractional between cell centres.
struct GridFrame {};

/// Width and height, in pixels or cells.
struct Size {
  int width = 0;   ///< along x
  int height = 0;  ///< along y
  /// Equal when both sides are.
  friend bool operator==(const Size&, const Size&) = default;
};

/// One point (x, y) of a frame.
template <class Frame>
struct Point {
  double x = 0;  ///< to the right, 0 at the centre of the first column
  double y = 0;  ///< down, 0 at the centre of the first row
  /// Equal when both coordinates are, exactly; a NaN equals nothing.
  friend bool operator==(const Point&, const Point&) = default;
};

/// Euclidean distance of two points of the same frame, in that frame's units.
template <class Frame>
double distance(Point<Frame> a, Point<Frame> b) {
  return std::hypot(a.x - b.x, a.y - b.y);
}

/// True when both coordinates are finite.
template <class Frame>
bool is_finite(Point<Frame> point) {
  return std::isfinite(point.x) && std::isfinite(point.y);
}

/// A list of N points of one frame, stored as [N,2] row-major float64, columns x, y.
template <class Frame>
struct Points {
  /// What matrix() shows: [N,2] row-major float64, columns x, y.
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, 2, Eigen::RowMajor>;

  std::vector<Point<Frame>> list;  ///< [N] in order; may be changed freely

  Points() = default;
  /// The points as listed: `Points<ImageFrame>{{10, 20}, {30, 40}}`.
  Points(std::initializer_list<Point<Frame>> points) : list(points) {}
  /// Takes over a vector of points.
  explicit Points(std::vector<Point<Frame>> points) : list(std::move(points)) {}
  /// `count` points at (0, 0).
  explicit Points(std::size_t count) : list(count) {}

  /// N, the number of points.
  std::size_t size() const { return list.size(); }
  /// True when there is no point.
  bool empty() const { return list.empty(); }
  /// Point i < size(), to be changed; not checked.
  Point<Frame>& operator[](std::size_t i) { return list[i]; }
  /// Point i < size(); not checked.
  const Point<Frame>& operator[](std::size_t i) const { return list[i]; }
  /// Appends a point; a matrix() taken before is no longer valid.
  void push_back(Point<Frame> point) { list.push_back(point); }
  /// Iterator to the first point, which it may change.
  auto begin() { return list.begin(); }
  /// Iterator behind the last point.
  auto end() { return list.end(); }
  /// Read-only iterator to the first point.
  auto begin() const { return list.begin(); }
  /// Read-only iterator behind the last point.
  auto end() const { return list.end(); }

  /// The points as an [N,2] matrix view, without a copy; valid while this list lives unchanged.
  auto matrix() const {
    static_assert(sizeof(Point<Frame>) == 2 * sizeof(double));
    const double* const first = list.empty() ? nullptr : &list.front().x;
    return Eigen::Map<const Matrix>(first, static_cast<Eigen::Index>(list.size()), 2);
  }
  /// Equal when both have as many points, pairwise equal.
  friend bool operator==(const Points&, const Points&) = default;
};

/// An axis-aligned box with corners (x1, y1) and (x2, y2) in a frame's units.
template <class Frame>
struct Box {
  double x1 = 0;  ///< left
  double y1 = 0;  ///< top
  double x2 = 0;  ///< right
  double y2 = 0;  ///< bottom
  /// x2 - x1, without the +1 of boxes that count pixels.
  double width() const { return x2 - x1; }
  /// y2 - y1, without the +1 of boxes that count pixels.
  double height() const { return y2 - y1; }
  /// Equal when all four coordinates are, exactly.
  friend bool operator==(const Box&, const Box&) = default;
};

}  // namespace homolog::inline v0_1
