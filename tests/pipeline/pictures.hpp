// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "homolog/images/image.hpp"

namespace homolog::test {

/// Smooth coloured noise, different everywhere: blocks of random colour, 7 pixels wide, blended.
inline Image noise_picture(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  const int columns = width / 7 + 2, rows = height / 7 + 2;
  std::vector<double> knots(static_cast<std::size_t>(columns * rows * 3));
  for (double& knot : knots) knot = static_cast<double>(random() % 256);
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double u = x / 7.0 - x / 7, v = y / 7.0 - y / 7;
      for (int c = 0; c < 3; ++c) {
        const auto knot = [&](int dx, int dy) {
          return knots[static_cast<std::size_t>(((y / 7 + dy) * columns + x / 7 + dx) * 3 + c)];
        };
        image.at(x, y)[c] =
            static_cast<std::uint8_t>((knot(0, 0) * (1 - u) + knot(1, 0) * u) * (1 - v) +
                                      (knot(0, 1) * (1 - u) + knot(1, 1) * u) * v);
      }
    }
  }
  return image;
}

}  // namespace homolog::test
