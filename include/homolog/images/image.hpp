// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A decoded picture in memory.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "homolog/core/points.hpp"

namespace homolog {

/// RGB picture, uint8 [height, width, 3], rows top to bottom, no padding between rows.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;

  Image() = default;
  /// A black picture of the given size.
  Image(int width_, int height_)
      : width(width_),
        height(height_),
        pixels(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_) * 3) {}

  Size size() const { return {width, height}; }
  std::uint8_t* at(int x, int y) {
    return pixels.data() + (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                            static_cast<std::size_t>(x)) *
                               3;
  }
  const std::uint8_t* at(int x, int y) const {
    return pixels.data() + (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                            static_cast<std::size_t>(x)) *
                               3;
  }
  friend bool operator==(const Image&, const Image&) = default;
};

}  // namespace homolog
