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

namespace homolog {

/// Pixels of the picture as it was decoded.
struct ImageFrame {};
/// Pixels of the resized (and perhaps padded) picture that the backbone sees.
struct InputFrame {};
/// Cells of the backbone's patch grid; column x, row y, fractional between cell centres.
struct GridFrame {};

/// Width and height, in pixels or cells.
struct Size {
  int width = 0;
  int height = 0;
  friend bool operator==(const Size&, const Size&) = default;
};

/// One point (x, y) of a frame.
template <class Frame>
struct Point {
  double x = 0;
  double y = 0;
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
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, 2, Eigen::RowMajor>;

  std::vector<Point<Frame>> list;

  Points() = default;
  Points(std::initializer_list<Point<Frame>> points) : list(points) {}
  explicit Points(std::vector<Point<Frame>> points) : list(std::move(points)) {}
  explicit Points(std::size_t count) : list(count) {}

  std::size_t size() const { return list.size(); }
  bool empty() const { return list.empty(); }
  Point<Frame>& operator[](std::size_t i) { return list[i]; }
  const Point<Frame>& operator[](std::size_t i) const { return list[i]; }
  void push_back(Point<Frame> point) { list.push_back(point); }
  auto begin() { return list.begin(); }
  auto end() { return list.end(); }
  auto begin() const { return list.begin(); }
  auto end() const { return list.end(); }

  /// The points as an [N,2] matrix view, without a copy; valid while this list lives unchanged.
  auto matrix() const {
    static_assert(sizeof(Point<Frame>) == 2 * sizeof(double));
    const double* const first = list.empty() ? nullptr : &list.front().x;
    return Eigen::Map<const Matrix>(first, static_cast<Eigen::Index>(list.size()), 2);
  }
  friend bool operator==(const Points&, const Points&) = default;
};

/// An axis-aligned box with corners (x1, y1) and (x2, y2) in a frame's units.
template <class Frame>
struct Box {
  double x1 = 0;
  double y1 = 0;
  double x2 = 0;
  double y2 = 0;
  double width() const { return x2 - x1; }
  double height() const { return y2 - y1; }
  friend bool operator==(const Box&, const Box&) = default;
};

}  // namespace homolog
