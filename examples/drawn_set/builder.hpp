// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the things of the drawn set are made of: parts, keypoints, and the colours of an instance.
// Thing coordinates: x to where it faces, y down, about 1000 units long; angles in tenths of a
// degree, 0 forward, 900 down.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "canvas.hpp"
#include "homolog/core/random_stream.hpp"

namespace drawn_set {

using homolog::RandomStream;

// Parts from back to front, and keypoints by id.
struct Thing {
  std::vector<Part> parts;
  std::vector<Vec> keypoints;
};

// Colours and patterns of one instance.
struct Coat {
  Shade body{}, second{}, accent{}, dark{};
  Texture texture = Texture::shaded;

  explicit Coat(RandomStream& random) {
    static constexpr std::array<Shade, 10> colours{{{196, 120, 60},
                                                    {120, 78, 48},
                                                    {210, 190, 150},
                                                    {90, 96, 104},
                                                    {176, 58, 46},
                                                    {58, 108, 168},
                                                    {232, 178, 48},
                                                    {72, 138, 84},
                                                    {150, 92, 150},
                                                    {224, 224, 216}}};
    const auto pick = [&] { return colours[static_cast<std::size_t>(random.between(0, 9))]; };
    body = pick();
    second = pick();
    while (second == body) second = pick();
    accent = pick();
    while (accent == body || accent == second) accent = pick();
    for (std::size_t c = 0; c < 3; ++c) {
      dark[c] = body[c] * 2 / 5;
      body[c] =
          static_cast<int>(std::clamp<std::int64_t>(body[c] + random.between(-20, 20), 0, 255));
    }
    texture = std::array{Texture::shaded, Texture::stripes, Texture::spots,
                         Texture::shaded}[static_cast<std::size_t>(random.between(0, 3))];
  }
};

// Adds parts to a thing.
struct Builder {
  Thing thing;
  Coat coat;
  RandomStream& instance;  // proportions: the same for every picture of an instance
  RandomStream& pose;      // joints: new in every picture

  std::int64_t size(std::int64_t mean, int percent = 15) {
    return mean * instance.between(100 - percent, 100 + percent) / 100;
  }
  void capsule(Vec a, Vec b, std::int64_t ra, std::int64_t rb, Shade colour, Shade second,
               Texture texture = Texture::shaded) {
    thing.parts.push_back({Part::Shape::capsule, {a, b}, ra, rb, colour, second, texture, 1});
  }
  void ellipse(Vec centre, std::int64_t a, std::int64_t b, std::int64_t tenths, Shade colour,
               Shade second, Texture texture = Texture::shaded) {
    thing.parts.push_back({Part::Shape::ellipse,
                           {centre, away(centre, a, tenths), away(centre, b, tenths + 900)},
                           0,
                           0,
                           colour,
                           second,
                           texture,
                           1});
  }
  void polygon(std::vector<Vec> corners, Shade colour, Shade second,
               Texture texture = Texture::plain) {
    thing.parts.push_back(
        {Part::Shape::polygon, std::move(corners), 0, 0, colour, second, texture, 1});
  }
  void eye(Vec at, std::int64_t radius) {
    ellipse(at, radius, radius, 0, {250, 250, 250}, {250, 250, 250}, Texture::plain);
    ellipse(at, radius / 2, radius / 2, 0, {20, 20, 20}, {20, 20, 20}, Texture::plain);
  }
  void wheel(Vec at, std::int64_t radius) {
    ellipse(at, radius, radius, 0, {34, 34, 38}, {34, 34, 38}, Texture::plain);
    ellipse(at, radius * 11 / 20, radius * 11 / 20, 0, {190, 192, 198}, {90, 92, 98});
  }
  void keypoint(Vec at) { thing.keypoints.push_back(at); }
};

}  // namespace drawn_set
