// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of visualization/draw_matches.hpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/points.hpp"
#include "homolog/images/image.hpp"
#include "homolog/visualization/draw_matches.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Blends a colour into a pixel; outside the picture nothing happens.
inline void blend(Image& image, int x, int y, Colour colour, double coverage) {
  if (x < 0 || y < 0 || x >= image.width || y >= image.height || !(coverage > 0)) return;
  std::uint8_t* pixel = image.at(x, y);
  const double alpha = (std::min)(coverage, 1.0);
  for (std::size_t c = 0; c < 3; ++c) {
    pixel[c] = static_cast<std::uint8_t>(std::lround(pixel[c] * (1 - alpha) + colour[c] * alpha));
  }
}

}  // namespace detail

HOMOLOG_INLINE Colour match_colour(std::size_t index) {
  const double hue = std::fmod(static_cast<double>(index) * 0.618033988749895, 1.0) * 6;
  const auto channel = [hue](double offset) {
    const double k = std::fmod(hue + offset, 6.0);
    return static_cast<std::uint8_t>(
        std::lround(255 - 205 * std::clamp((std::min)(k, 4 - k), 0.0, 1.0)));
  };
  return {channel(5), channel(3), channel(1)};
}

HOMOLOG_INLINE void draw_line(Image& image, Point<ImageFrame> a, Point<ImageFrame> b, double width,
                              Colour colour) {
  if (!is_finite(a) || !is_finite(b) || !std::isfinite(width)) return;
  const double radius = width / 2;
  const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  // Converted to int only after clamping, because a coordinate may be larger than any int.
  const auto first = [](double value) { return static_cast<int>(std::clamp(value, 0.0, 1e9)); };
  const auto last = [](double value, int size) {
    return static_cast<int>(std::clamp(value, -1.0, size - 1.0));
  };
  const int x1 = first(std::floor((std::min)(a.x, b.x) - radius - 1));
  const int x2 = last(std::ceil((std::max)(a.x, b.x) + radius + 1), image.width);
  const int y1 = first(std::floor((std::min)(a.y, b.y) - radius - 1));
  const int y2 = last(std::ceil((std::max)(a.y, b.y) + radius + 1), image.height);
  for (int y = y1; y <= y2; ++y) {
    for (int x = x1; x <= x2; ++x) {
      const double t =
          length2 > 0 ? std::clamp(((x - a.x) * dx + (y - a.y) * dy) / length2, 0.0, 1.0) : 0.0;
      detail::blend(image, x, y, colour,
                    radius + 0.5 - std::hypot(x - a.x - t * dx, y - a.y - t * dy));
    }
  }
}

HOMOLOG_INLINE Image draw_matches(const ImageView& source, const ImageView& target,
                                  const Points<ImageFrame>& points,
                                  const Points<ImageFrame>& predicted,
                                  const Points<ImageFrame>* truth, double threshold,
                                  const DrawSetting& setting) {
  if (points.size() != predicted.size() || (truth != nullptr && truth->size() != points.size())) {
    throw ShapeError(detail::text("draw_matches: ", points.size(), " source points, ",
                                  predicted.size(), " predicted points"));
  }
  source.require_valid("draw_matches");
  target.require_valid("draw_matches");
  const auto fits = [](double pixels) { return pixels >= 0 && pixels <= 1e6; };
  if (!fits(setting.radius) || !fits(setting.line_width) || !fits(setting.gap)) {
    throw SettingError(detail::text("draw_matches: radius ", setting.radius, ", line width ",
                                    setting.line_width, " and gap ", setting.gap,
                                    ", expected 0 to 1e6 pixels"));
  }
  Image canvas(source.width + setting.gap + target.width, (std::max)(source.height, target.height));
  std::fill(canvas.pixels.begin(), canvas.pixels.end(), std::uint8_t{255});
  const int shift = source.width + setting.gap;
  const auto paste = [&canvas](const ImageView& image, int left) {
    for (int y = 0; y < image.height; ++y) detail::copy_as_rgb(image, y, canvas.at(left, y));
  };
  paste(source, 0);
  paste(target, shift);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Colour colour = match_colour(i);
    const Point<ImageFrame> from = points[i];
    const Point<ImageFrame> to{predicted[i].x + shift, predicted[i].y};
    const bool wrong = truth != nullptr && !(distance(predicted[i], (*truth)[i]) <= threshold);
    draw_line(canvas, from, to, (wrong ? 0.3 : 1.0) * setting.line_width, colour);
    if (truth != nullptr) {
      const Point<ImageFrame> expected{(*truth)[i].x + shift, (*truth)[i].y};
      draw_point(canvas, expected, setting.radius + 2.5, colour);
      draw_line(canvas, expected, expected, 2 * setting.radius, {255, 255, 255});
    }
    for (const auto& centre : {from, to}) draw_point(canvas, centre, setting.radius, colour);
  }
  return canvas;
}

}  // namespace homolog::inline v0_1
