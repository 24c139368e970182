// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Decoded pictures in memory: Image owns its pixels, ImageView refers to pixels that another
/// object owns.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/points.hpp"

namespace homolog::inline v0_1 {

struct Image;

/// The order of a pixel's bytes in memory.
enum class PixelFormat {
  rgb,   ///< 3 bytes
  bgr,   ///< 3 bytes, as OpenCV keeps a colour picture
  rgba,  ///< 4 bytes; alpha is not read, so nothing is blended
  bgra,  ///< 4 bytes; alpha is not read
  grey   ///< 1 byte, which stands for all three colours
};

/// Where a pixel's bytes lie.
struct PixelLayout {
  int bytes = 3;  ///< from a pixel to its right neighbour
  int red = 0;    ///< [bytes] from the pixel's first byte to its red
  int green = 1;  ///< [bytes]
  int blue = 2;   ///< [bytes]
};

/// The layout of a format.
constexpr PixelLayout layout_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::rgb:
      return {3, 0, 1, 2};
    case PixelFormat::bgr:
      return {3, 2, 1, 0};
    case PixelFormat::rgba:
      return {4, 0, 1, 2};
    case PixelFormat::bgra:
      return {4, 2, 1, 0};
    case PixelFormat::grey:
      break;
  }
  return {1, 0, 0, 0};
}

/// A picture of 8 bits a channel in memory that is not owned, such as a camera's frame or a part of
/// a larger picture. Functions that take an ImageView also take an Image, and copy neither.
struct ImageView {
  const std::uint8_t* pixels = nullptr;  ///< the first byte of the pixel in column 0 and row 0
  int width = 0;                         ///< [px]
  int height = 0;                        ///< [px]
  std::ptrdiff_t row_bytes = 0;  ///< from a row to the next one; negative where they lie bottom up
  PixelFormat format = PixelFormat::rgb;  ///< the same for all pixels

  ImageView() = default;
  /// Pixels that must live and stay where they are as long as the view is used.
  ///
  /// @param size [px]
  /// @param row_bytes_ from a row to the next one; 0 where no byte lies between them
  /// @throws ShapeError for an empty picture, null pixels, or rows that overlap
  ImageView(const std::uint8_t* pixels_, Size size, PixelFormat format_,
            std::ptrdiff_t row_bytes_ = 0)
      : pixels(pixels_),
        width(size.width),
        height(size.height),
        row_bytes(row_bytes_ != 0 ? row_bytes_
                                  : std::ptrdiff_t{size.width} * layout_of(format_).bytes),
        format(format_) {
    require_valid("image view");
  }
  /// The pixels of a picture, valid while it lives and keeps its size: a view of a temporary is
  /// valid only during the call that it is passed to.
  ///
  /// @throws ShapeError when they are not width * height * 3 bytes
  ImageView(const Image& image);  // NOLINT(google-explicit-constructor)
  /// Width and height [px].
  Size size() const { return {width, height}; }
  /// The first byte of the pixel in column x and row y; not checked.
  const std::uint8_t* at(int x, int y) const {
    return pixels + y * row_bytes + std::ptrdiff_t{x} * layout_of(format).bytes;
  }

  /// Checks that the public members do not contradict each other.
  ///
  /// @param user the function named in the error
  /// @throws ShapeError as the constructor
  void require_valid(const char* user) const {
    const std::ptrdiff_t least = std::ptrdiff_t{width} * layout_of(format).bytes;
    if (width < 1 || height < 1 || pixels == nullptr ||
        (height > 1 && std::abs(row_bytes) < least)) {
      throw ShapeError(
          detail::text(user, ": expected a picture that is not empty, with rows of at least ",
                       least, " bytes, got ", width, "x", height, " px with rows ", row_bytes,
                       " bytes apart", pixels == nullptr ? " and no pixels" : ""));
    }
  }
};

namespace detail {

/// Copies the pixels of row `y` to `to`, 3 bytes R, G, B each.
inline void copy_as_rgb(const ImageView& view, int y, std::uint8_t* to) {
  const PixelLayout layout = layout_of(view.format);
  const std::uint8_t* from = view.at(0, y);
  if (view.format == PixelFormat::rgb) {
    std::copy_n(from, std::ptrdiff_t{view.width} * 3, to);
    return;
  }
  for (int x = 0; x < view.width; ++x, from += layout.bytes, to += 3) {
    to[0] = from[layout.red];
    to[1] = from[layout.green];
    to[2] = from[layout.blue];
  }
}

}  // namespace detail

/// RGB picture, uint8 [height, width, 3], rows top to bottom, no padding between rows.
struct Image {
  int width = 0;                     ///< [px]
  int height = 0;                    ///< [px]
  std::vector<std::uint8_t> pixels;  ///< [height, width, 3]

  Image() = default;
  /// A black picture of the given size.
  ///
  /// @throws ShapeError for a negative side
  Image(int width_, int height_) : width(width_), height(height_) {
    if (width < 0 || height < 0) {
      throw ShapeError(
          detail::text("Image: ", width, "x", height, ", expected both sides at least 0"));
    }
    pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  }
  /// A copy of a view's pixels as RGB.
  ///
  /// @throws ShapeError when the view is empty
  explicit Image(const ImageView& view) {
    view.require_valid("Image");
    *this = Image(view.width, view.height);
    for (int y = 0; y < height; ++y) detail::copy_as_rgb(view, y, at(0, y));
  }

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

inline ImageView::ImageView(const Image& image)
    : pixels(image.pixels.data()),
      width(image.width),
      height(image.height),
      row_bytes(std::ptrdiff_t{image.width} * 3) {
  const bool sized =
      width >= 0 && height >= 0 &&
      image.pixels.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
  if (!sized) {
    throw ShapeError(detail::text("picture: expected height * width * 3 bytes, got ",
                                  image.pixels.size(), " bytes for ", width, "x", height));
  }
}

}  // namespace homolog::inline v0_1
