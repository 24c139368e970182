// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A decoded picture in memory.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "homolog/core/points.hpp"

namespace homolog::inline v0_1 {

/// RGB picture, uint8 [height, width, 3], rows top to bottom, no padding between rows.
struct Image {
  int width = 0;                     ///< [px]
  int height = 0;                    ///< [px]
  std::vector<std::uint8_t> pixels;  ///< [height, width, 3]

  Image() = default;
  /// A black picture of the given size.
  Image(int width_, int height_)
      : width(width_),
        height(height_),
        pixels(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_) * 3) {}

  /// Width and height [px].
  Size size() const { return {width, height}; }
  /// The R, G, B bytes of the pixel in column x and row y, to be written; not checked.
  std::uint8_t* at(int x, int y) {
    return pixels.data() + (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                            static_cast<std::size_t>(x)) *
                               3;
  }
  /// The R, G, B bytes of the pixel in column x and row y; not checked.
  const std::uint8_t* at(int x, int y) const {
    return pixels.data() + (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                            static_cast<std::size_t>(x)) *
                               3;
  }
  /// Equal when sizes and all pixels are.
  friend bool operator==(const Image&, const Image&) = default;
};

}  // namespace homolog::inline v0_1
