// SPDX-License-Identifier: Apache-2.0
#pragma once

// One picture of the drawn set: a thing, its background, what hides it, and its annotation.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "builder.hpp"
#include "canvas.hpp"
#include "creatures.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/points.hpp"
#include "homolog/core/random_stream.hpp"
#include "homolog/images/image.hpp"
#include "integers.hpp"
#include "objects.hpp"

namespace drawn_set {

// Seed of all random streams here; what a user may choose is one of their coordinates.
inline constexpr std::uint64_t stream_seed = 0x1272A46C813F1353;

using BuildThing = void (*)(Builder&);
inline constexpr std::pair<std::string_view, BuildThing> things[] = {
    {"aeroplane", build_aeroplane}, {"bird", build_bird},    {"car", build_car},
    {"chair", build_chair},         {"dog", build_dog},      {"fish", build_fish},
    {"person", build_person},       {"teapot", build_teapot}};

// Names of the categories, sorted.
inline std::vector<std::string> category_names() {
  std::vector<std::string> names;
  for (const auto& [name, build] : things) names.emplace_back(name);
  return names;
}

using Box = homolog::Box<homolog::ImageFrame>;
using Keypoint = homolog::Point<homolog::ImageFrame>;

// One drawn picture with its annotation.
struct Picture {
  homolog::Image image;  // the thing, its background and what hides it
  Box box;               // [px] integer corners of the thing as drawn, before anything hides it
  std::vector<std::optional<Keypoint>> keypoints;  // by id; empty when hidden or outside
  bool truncated = false;                          // the thing reaches the picture's border
  bool occluded = false;                           // a shape was drawn somewhere on its box
};

inline Shade random_shade(RandomStream& random, std::int64_t low, std::int64_t high) {
  Shade shade;
  for (int& channel : shade) channel = static_cast<int>(random.between(low, high));
  return shade;
}

// A random soft shape: the clutter of backgrounds, and what hides part of a thing.
inline Part random_shape(RandomStream& random, Vec at, std::int64_t size, int layer) {
  Part part;
  part.layer_id = layer;
  part.colour = random_shade(random, 40, 230);
  part.second = random_shade(random, 40, 230);
  part.texture = std::array{Texture::shaded, Texture::stripes, Texture::spots,
                            Texture::plain}[static_cast<std::size_t>(random.between(0, 3))];
  const std::int64_t angle = random.between(0, 3599);
  if (random.below(100) < 50) {
    part.shape = Part::Shape::ellipse;
    part.points = {at, away(at, size, angle),
                   away(at, size * random.between(30, 90) / 100, angle + 900)};
  } else {
    part.points = {away(at, size, angle), away(at, -size, angle)};
    part.radius_a = size * random.between(20, 45) / 100;
    part.radius_b = size * random.between(20, 45) / 100;
  }
  return part;
}

inline void paint_background(Canvas& canvas, RandomStream& random) {
  const std::int64_t w = canvas.width * subpixels, h = canvas.height * subpixels;
  Part sky;
  sky.shape = Part::Shape::polygon;
  sky.points = {{-1, -1}, {-1, h + 1}, {w + 1, h + 1}, {w + 1, -1}};
  sky.colour = random_shade(random, 120, 240);
  sky.second = random_shade(random, 90, 230);
  canvas.paint(sky);
  Part ground = sky;
  const std::int64_t horizon = h * random.between(45, 80) / 100;
  ground.points = {{-1, horizon},
                   {-1, h + 1},
                   {w + 1, h + 1},
                   {w + 1, horizon + random.between(-h / 10, h / 10)}};
  ground.colour = random_shade(random, 60, 200);
  ground.second = random_shade(random, 60, 200);
  ground.texture = random.below(100) < 40 ? Texture::stripes : Texture::shaded;
  canvas.paint(ground);
  for (std::int64_t i = random.between(4, 9); i > 0; --i) {
    // One draw a statement: in which order a call draws its arguments is up to the compiler.
    const std::int64_t size = random.between(w / 30, w / 8);
    const Vec at{random.between(0, w), random.between(0, h)};
    canvas.paint(random_shape(random, at, size, 0));
  }
}

// Where a thing stands in its picture: thing coordinates to placed units.
struct Placement {
  std::int64_t scale, angle, mirror;  // placed units per 4096 thing units; tenths; +1 or -1
  Vec shift;
  Vec operator()(Vec p) const {
    const std::int64_t x = p.x * mirror;
    return {(x * cosine(angle) - p.y * sine(angle)) / 4096 * scale / 4096 + shift.x,
            (x * sine(angle) + p.y * cosine(angle)) / 4096 * scale / 4096 + shift.y};
  }
};

// Draws one picture.
//
// The category is an index into category_names(), and SettingError is thrown where there is none of
// it. The instance is the individual, with its proportions and colours; the view is which picture
// of it: pose, mirror, scale, turn, place, background, occluder. The seed is the data set's.
inline Picture draw_picture(std::size_t category, std::uint64_t instance, std::uint64_t view,
                            std::uint64_t seed) {
  if (category >= std::size(things)) {
    throw homolog::SettingError("synthetic category " + std::to_string(category) +
                                ", expected below " + std::to_string(std::size(things)));
  }
  RandomStream body(stream_seed, {seed, 1, category, instance});
  RandomStream random(stream_seed, {seed, 2, category, instance, view});
  Builder builder{{}, Coat(body), body, random};
  things[category].second(builder);

  const int width = static_cast<int>(random.between(200, 320));
  const int height = static_cast<int>(random.between(180, 280));
  Canvas canvas(width, height);
  paint_background(canvas, random);

  // The thing's turned extent decides how large it may stand in the picture.
  Placement place{4096, random.between(-250, 250), random.below(100) < 50 ? -1 : 1, {}};
  std::int64_t left = 1 << 30, right = -left, top = left, bottom = -left;
  for (const Vec point : builder.thing.keypoints) {
    const Vec at = place(point);
    left = (std::min)(left, at.x), right = (std::max)(right, at.x);
    top = (std::min)(top, at.y), bottom = (std::max)(bottom, at.y);
  }
  const std::int64_t w = width * subpixels, h = height * subpixels;
  const std::int64_t room = (std::min)(w * 4096 / (right - left), h * 4096 / (bottom - top));
  place.scale = room * random.between(42, 92) / 100;
  const auto slot = [&](std::int64_t low, std::int64_t high, std::int64_t picture) {
    const std::int64_t size = (high - low) * place.scale / 4096, slack = picture / 14;
    return random.between(-slack, picture - size + slack) - low * place.scale / 4096;
  };
  place.shift = {slot(left, right, w), slot(top, bottom, h)};

  for (Part part : builder.thing.parts) {
    for (Vec& point : part.points) point = place(point);
    part.radius_a = part.radius_a * place.scale / 4096;
    part.radius_b = part.radius_b * place.scale / 4096;
    canvas.paint(part);
  }
  Picture picture;
  // The box is the thing's painted extent, before anything hides it.
  int x1 = width, y1 = height, x2 = -1, y2 = -1;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      if (canvas.layers[canvas.index(2 * x, 2 * y)] != 1) continue;
      x1 = (std::min)(x1, x), x2 = (std::max)(x2, x), y1 = (std::min)(y1, y),
      y2 = (std::max)(y2, y);
    }
  }
  picture.box = {double(x1), double(y1), double(x2), double(y2)};
  picture.truncated = x1 == 0 || y1 == 0 || x2 == width - 1 || y2 == height - 1;
  picture.occluded = random.below(100) < 45;
  if (picture.occluded) {
    const Vec at{random.between(x1, x2) * subpixels, random.between(y1, y2) * subpixels};
    canvas.paint(random_shape(
        random, at, (std::max)(x2 - x1, y2 - y1) * subpixels * random.between(9, 18) / 100, 2));
  }
  for (const Vec point : builder.thing.keypoints) {
    const Vec at = place(point);
    const int layer = canvas.layer_at(at);
    if (layer == 0 || layer == 1) {
      const auto x = static_cast<double>(at.x / subpixels),
                 y = static_cast<double>(at.y / subpixels);
      picture.keypoints.push_back(Keypoint{x, y});
    } else {
      picture.keypoints.push_back(std::nullopt);
    }
  }
  const int noise = static_cast<int>(random.between(2, 8));
  picture.image = canvas.picture(random.bits(), noise);
  return picture;
}

}  // namespace drawn_set
