// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of images/prepare.hpp.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/input.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/images/image.hpp"
#include "homolog/images/prepare.hpp"
#include "homolog/images/resize.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Calls `place` with the picture resized to the content of its input.
///
/// @throws ShapeError as prepare_input
template <class Place>
void with_content(const ImageView& image, const ImageTransform& transform, ResizeFilter filter,
                  PassOrder order, const Place& place) {
  image.require_valid("prepare_input");
  if (transform.image != image.size()) {
    throw ShapeError(text("prepare_input: expected a picture of ", transform.image.width, "x",
                          transform.image.height, " as in the transform, got ", image.width, "x",
                          image.height));
  }
  const Size input = transform.input, content = transform.content;
  const int x0 = transform.offset_x, y0 = transform.offset_y;
  if (content.width < 1 || content.height < 1 || x0 < 0 || y0 < 0 ||
      x0 > input.width - content.width || y0 > input.height - content.height) {
    throw ShapeError(text("prepare_input: expected content inside an input of ", input.width, "x",
                          input.height, ", got ", content.width, "x", content.height, " at (", x0,
                          ", ", y0, ")"));
  }
  if (content == image.size()) return place(image);
  place(resize_image(image, content, filter, order));
}

}  // namespace detail

HOMOLOG_INLINE void prepare_input(const ImageView& image, const ImageTransform& transform,
                                  const Normalization& normalization, ResizeFilter filter,
                                  float* chw, PassOrder order) {
  const Size input = transform.input, content = transform.content;
  detail::with_content(image, transform, filter, order, [&](const ImageView& shown) {
    // A channel has 256 values: each is normalised once.
    std::array<std::array<float, 256>, 3> table;
    for (std::size_t c = 0; c < 3; ++c) {
      const float mean = normalization.mean[c], deviation = normalization.standard_deviation[c];
      if (!(deviation > 0.0F)) {
        throw SettingError(
            detail::text("prepare_input: expected positive standard deviations, got ", deviation));
      }
      for (std::size_t value = 0; value < 256; ++value) {
        table[c][value] = (static_cast<float>(value) / 255.0F - mean) / deviation;
      }
    }
    const auto row_floats = static_cast<std::size_t>(input.width);
    const std::size_t plane = row_floats * static_cast<std::size_t>(input.height);
    if (content != input) std::fill(chw, chw + 3 * plane, 0.0F);
    const PixelLayout layout = layout_of(shown.format);
    for (int y = 0; y < content.height; ++y) {
      const std::uint8_t* pixel = shown.at(0, y);
      float* red = chw + static_cast<std::size_t>(transform.offset_y + y) * row_floats +
                   static_cast<std::size_t>(transform.offset_x);
      float* green = red + plane;
      float* blue = green + plane;
      for (int x = 0; x < content.width; ++x, pixel += layout.bytes) {
        red[x] = table[0][pixel[layout.red]];
        green[x] = table[1][pixel[layout.green]];
        blue[x] = table[2][pixel[layout.blue]];
      }
    }
  });
}

HOMOLOG_INLINE void prepare_bytes(const ImageView& image, const ImageTransform& transform,
                                  ResizeFilter filter, std::uint8_t* hwc, PassOrder order) {
  const Size input = transform.input, content = transform.content;
  detail::with_content(image, transform, filter, order, [&](const ImageView& shown) {
    const std::size_t row = 3 * static_cast<std::size_t>(input.width);
    if (content != input) std::fill_n(hwc, row * static_cast<std::size_t>(input.height), 0);
    for (int y = 0; y < content.height; ++y) {
      detail::copy_as_rgb(shown, y,
                          hwc + static_cast<std::size_t>(transform.offset_y + y) * row +
                              3 * static_cast<std::size_t>(transform.offset_x));
    }
  });
}

HOMOLOG_INLINE Image flip_horizontally(const ImageView& image) {
  Image flipped(image);
  for (int y = 0; y < image.height; ++y) {
    std::uint8_t* left = flipped.at(0, y);
    std::uint8_t* right = flipped.at(image.width - 1, y);
    for (; left < right; left += 3, right -= 3) std::swap_ranges(left, left + 3, right);
  }
  return flipped;
}

}  // namespace homolog::inline v0_1
