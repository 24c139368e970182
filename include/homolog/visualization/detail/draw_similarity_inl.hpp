// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of visualization/draw_similarity.hpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/images/image.hpp"
#include "homolog/visualization/draw_similarity.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// From dark blue over green to yellow for values from 0 to 1, brighter for larger values: ten
/// colours of the viridis map (CC0), interpolated.
inline std::array<double, 3> similarity_colour(double value) {
  static constexpr double colours[10][3] = {
      {68, 1, 84},    {72, 40, 120},  {62, 74, 137},  {49, 104, 142}, {38, 130, 142},
      {31, 158, 137}, {53, 183, 121}, {109, 205, 89}, {180, 222, 44}, {253, 231, 37}};
  const double place = std::clamp(value, 0.0, 1.0) * 9;
  const auto first = (std::min)(static_cast<std::size_t>(place), std::size_t{8});
  const double second = place - static_cast<double>(first);
  std::array<double, 3> colour{};
  for (std::size_t c = 0; c < 3; ++c) {
    colour[c] = colours[first][c] * (1 - second) + colours[first + 1][c] * second;
  }
  return colour;
}

/// Value at fractional cells, those outside moved to the border; NaN where a cell that counts is
/// not finite.
inline double map_value(const SimilarityMap& map, Point<GridFrame> at, bool smooth) {
  const auto inside = [](double value, Eigen::Index count) {
    return std::clamp(value, 0.0, static_cast<double>(count - 1));
  };
  const double x = inside(at.x, map.cols()), y = inside(at.y, map.rows());
  const auto value = [&map](double row, double col) {
    const float found = map(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(col));
    return std::isfinite(found) ? static_cast<double>(found) : std::nan("");
  };
  if (!smooth) return value(std::floor(y + 0.5), std::floor(x + 0.5));
  const double left = std::floor(x), top = std::floor(y), u = x - left, v = y - top;
  double sum = 0;
  const auto add = [&](double row, double col, double weight) {
    if (weight > 0) sum += weight * value(row, col);
  };
  add(top, left, (1 - u) * (1 - v));
  add(top, left + 1, u * (1 - v));
  add(top + 1, left, (1 - u) * v);
  add(top + 1, left + 1, u * v);
  return sum;
}

}  // namespace detail

HOMOLOG_INLINE Image draw_similarity(const ImageView& image, const SimilarityMap& map,
                                     const FrameTransform& transform,
                                     const DrawSimilaritySetting& setting) {
  if (map.rows() != transform.grid.rows || map.cols() != transform.grid.cols) {
    throw ShapeError(detail::text("draw_similarity: a map of ", map.rows(), "x", map.cols(),
                                  " cells, expected ", transform.grid.rows, "x",
                                  transform.grid.cols));
  }
  if (image.size() != transform.image.image) {
    throw ShapeError(detail::text("draw_similarity: a picture of ", image.width, "x", image.height,
                                  ", expected ", transform.image.image.width, "x",
                                  transform.image.image.height));
  }
  if (!(setting.opacity >= 0 && setting.opacity <= 1) || std::isinf(setting.low) ||
      std::isinf(setting.high)) {
    throw SettingError(detail::text("draw_similarity: opacity ", setting.opacity, ", low ",
                                    setting.low, " and high ", setting.high,
                                    ", expected an opacity in [0, 1] and cosines"));
  }
  float low = std::numeric_limits<float>::infinity(), high = -low;
  for (Eigen::Index i = 0; i < map.size(); ++i) {
    const float value = map.data()[i];
    if (!std::isfinite(value)) continue;
    low = (std::min)(low, value);
    high = (std::max)(high, value);
  }
  if (high < low) throw ValueError("draw_similarity: no value of the map is finite");
  if (!std::isnan(setting.low)) low = setting.low;
  if (!std::isnan(setting.high)) high = setting.high;
  const double range = (std::max)(static_cast<double>(high) - static_cast<double>(low), 1e-12);

  Image drawn(image);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const Point<ImageFrame> pixel{static_cast<double>(x), static_cast<double>(y)};
      const double value = detail::map_value(map, transform.to_grid(pixel), setting.smooth);
      if (std::isnan(value)) continue;
      const auto colour = detail::similarity_colour((value - static_cast<double>(low)) / range);
      std::uint8_t* const out = drawn.at(x, y);
      for (std::size_t c = 0; c < 3; ++c) {
        out[c] = static_cast<std::uint8_t>(
            std::lround(out[c] * (1 - setting.opacity) + colour[c] * setting.opacity));
      }
    }
  }
  return drawn;
}

}  // namespace homolog::inline v0_1
