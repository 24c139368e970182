// SPDX-License-Identifier: Apache-2.0
#pragma once

// A small rasteriser in integers: textured capsules, ellipses and polygons in layers, four samples
// a pixel.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "homolog/core/mix_bits.hpp"
#include "homolog/images/image.hpp"
#include "integers.hpp"

namespace drawn_set {

inline constexpr std::int64_t subpixels = 64;  // placed units a pixel

using Shade = std::array<int, 3>;  // RGB, 0..255

enum class Texture { plain, stripes, spots, rings, shaded };

// One painted part. `points` holds two ends of a capsule's axis, an ellipse's centre and the ends
// of its two half axes, or a polygon's corners.
struct Part {
  enum class Shape { capsule, ellipse, polygon } shape = Shape::capsule;
  std::vector<Vec> points;
  std::int64_t radius_a = 0;  // capsule: at the first end
  std::int64_t radius_b = 0;  // capsule: at the second end
  Shade colour{};
  Shade second{};
  Texture texture = Texture::shaded;
  int layer_id = 0;  // 1 for the thing, 2 for occluders, 0 for background
};

// Position within a part, in 1/1024 of its length and of its half width.
struct PartPosition {
  bool inside = false;
  std::int64_t along = 0;
  std::int64_t across = 0;
};

inline PartPosition locate(const Part& part, Vec sample) {
  switch (part.shape) {
    case Part::Shape::capsule: {
      const Vec axis = part.points[1] - part.points[0], offset = sample - part.points[0];
      const std::int64_t squared = std::max<std::int64_t>(dot(axis, axis), 1);
      const std::int64_t along =
          std::clamp<std::int64_t>(dot(offset, axis) * 1024 / squared, 0, 1024);
      const Vec nearest{axis.x * along / 1024, axis.y * along / 1024};
      const std::int64_t radius =
          std::max<std::int64_t>(part.radius_a + (part.radius_b - part.radius_a) * along / 1024, 1);
      const Vec gap = offset - nearest;
      if (dot(gap, gap) > radius * radius) return {};
      return {true, along,
              cross(axis, offset) * 1024 / std::max<std::int64_t>(length(axis) * radius, 1)};
    }
    case Part::Shape::ellipse: {
      const Vec u = part.points[1] - part.points[0], v = part.points[2] - part.points[0];
      const Vec offset = sample - part.points[0];
      const std::int64_t along = dot(offset, u) * 1024 / std::max<std::int64_t>(dot(u, u), 1);
      const std::int64_t across = dot(offset, v) * 1024 / std::max<std::int64_t>(dot(v, v), 1);
      if (along * along + across * across > 1024 * 1024) return {};
      return {true, (along + 1024) / 2, across};
    }
    case Part::Shape::polygon: {
      bool inside = false;
      const std::size_t count = part.points.size();
      for (std::size_t i = 0, j = count - 1; i < count; j = i++) {
        const Vec a = part.points[i], b = part.points[j];
        if ((a.y > sample.y) == (b.y > sample.y)) continue;
        const std::int64_t side = cross(b - a, sample - a);
        if ((b.y > a.y) == (side > 0)) inside = !inside;
      }
      if (!inside) return {};
      const Vec axis = part.points[1] - part.points[0], offset = sample - part.points[0];
      const std::int64_t squared = std::max<std::int64_t>(dot(axis, axis), 1);
      return {true, dot(offset, axis) * 1024 / squared, cross(axis, offset) * 1024 / squared};
    }
  }
  return {};
}

inline Shade shade_of(const Part& part, const PartPosition& at) {
  const auto mix = [&part](std::int64_t second) {  // 0..256 of the second colour
    Shade shade;
    for (std::size_t c = 0; c < 3; ++c) {
      shade[c] =
          static_cast<int>((part.colour[c] * (256 - second) + part.second[c] * second) / 256);
    }
    return shade;
  };
  switch (part.texture) {
    case Texture::plain:
      return part.colour;
    case Texture::stripes:
      return mix((at.along + 4096) / 146 % 2 != 0 ? 230 : 0);
    case Texture::rings:
      return mix((at.along + 4096) / 256 % 2 != 0 ? 200 : 0);
    case Texture::spots: {
      const std::int64_t u = (at.along + 8192) % 340 - 170, v = (at.across + 8192) % 680 - 340;
      return mix(4 * u * u + v * v < 34000 ? 220 : 0);
    }
    case Texture::shaded:
      return mix(std::clamp<std::int64_t>((at.across + 1024) / 12, 0, 170));
  }
  return part.colour;
}

// A picture while it is painted: four samples a pixel, each with the layer that is on top.
struct Canvas {
  int width, height;
  std::vector<Shade> colours;
  std::vector<int> layers;

  Canvas(int width_, int height_)
      : width(width_),
        height(height_),
        colours(static_cast<std::size_t>(4 * width_ * height_)),
        layers(colours.size()) {}

  std::size_t index(int column, int row) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(2 * width) +
           static_cast<std::size_t>(column);
  }

  void paint(const Part& part) {
    std::int64_t left = part.points[0].x, right = left, top = part.points[0].y, bottom = top;
    std::int64_t margin = (std::max)(part.radius_a, part.radius_b);
    if (part.shape == Part::Shape::ellipse) {
      margin = length(part.points[1] - part.points[0]) + length(part.points[2] - part.points[0]);
    }
    for (const Vec point : part.points) {
      left = (std::min)(left, point.x), right = (std::max)(right, point.x);
      top = (std::min)(top, point.y), bottom = (std::max)(bottom, point.y);
    }
    const std::int64_t step = subpixels / 2;
    const auto first = [&](std::int64_t low) {
      return std::max<std::int64_t>((low - margin) / step - 1, 0);
    };
    const std::int64_t last_column =
        std::min<std::int64_t>((right + margin) / step + 1, 2 * width - 1);
    const std::int64_t last_row =
        std::min<std::int64_t>((bottom + margin) / step + 1, 2 * height - 1);
    for (std::int64_t row = first(top); row <= last_row; ++row) {
      for (std::int64_t column = first(left); column <= last_column; ++column) {
        const PartPosition at = locate(part, {column * step + step / 2, row * step + step / 2});
        if (!at.inside) continue;
        const std::size_t i = index(static_cast<int>(column), static_cast<int>(row));
        colours[i] = shade_of(part, at);
        layers[i] = part.layer_id;
      }
    }
  }

  // Layer on top at a placed point; -1 outside the picture.
  int layer_at(Vec point) const {
    const std::int64_t step = subpixels / 2;
    if (point.x < 0 || point.y < 0 || point.x >= width * subpixels ||
        point.y >= height * subpixels) {
      return -1;
    }
    return layers[index(static_cast<int>(point.x / step), static_cast<int>(point.y / step))];
  }

  // Means of four samples, with grain of a few grey levels.
  homolog::Image picture(std::uint64_t grain_seed, int grain) const {
    homolog::Image image(width, height);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const std::uint64_t bits = homolog::mix_bits(
            grain_seed ^ (static_cast<std::uint64_t>(y) << 32 | static_cast<std::uint64_t>(x)));
        const int noise =
            static_cast<int>(bits % static_cast<std::uint64_t>(2 * grain + 1)) - grain;
        for (std::size_t c = 0; c < 3; ++c) {
          const int sum = colours[index(2 * x, 2 * y)][c] + colours[index(2 * x + 1, 2 * y)][c] +
                          colours[index(2 * x, 2 * y + 1)][c] +
                          colours[index(2 * x + 1, 2 * y + 1)][c];
          image.at(x, y)[c] = static_cast<std::uint8_t>(std::clamp((sum + 2) / 4 + noise, 0, 255));
        }
      }
    }
    return image;
  }
};

}  // namespace drawn_set
