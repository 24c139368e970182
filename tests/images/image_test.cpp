// SPDX-License-Identifier: Apache-2.0
#include "homolog/images/image.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <vector>

#include "homolog/images/prepare.hpp"
#include "homolog/images/resize.hpp"

using namespace homolog;

namespace {

constexpr PixelFormat formats[] = {PixelFormat::rgb, PixelFormat::bgr, PixelFormat::rgba,
                                   PixelFormat::bgra, PixelFormat::grey};

/// Random bytes around a view, so that what lies between rows differs from what lies in them.
struct Foreign {
  std::vector<std::uint8_t> bytes;
  ImageView view;

  /// @param gap [bytes] between rows, negative for a picture that lies bottom up
  Foreign(Size size, PixelFormat format, std::ptrdiff_t gap, unsigned seed) {
    std::mt19937 random(seed);
    const std::ptrdiff_t row = std::ptrdiff_t{size.width} * layout_of(format).bytes + std::abs(gap);
    bytes.resize(static_cast<std::size_t>(row * size.height) + 5);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    const std::uint8_t* first = bytes.data() + 3;
    if (gap >= 0) {
      view = ImageView(first, size, format, gap == 0 ? 0 : row);
    } else {
      view = ImageView(first + row * (size.height - 1), size, format, -row);
    }
  }
};

/// The RGB copy by the definition of each format, written apart.
Image copied(const ImageView& view) {
  Image image(view.width, view.height);
  for (int y = 0; y < view.height; ++y) {
    for (int x = 0; x < view.width; ++x) {
      const std::uint8_t* const row = view.pixels + y * view.row_bytes;
      std::uint8_t* const to = image.at(x, y);
      for (int c = 0; c < 3; ++c) {
        switch (view.format) {
          case PixelFormat::rgb:
            to[c] = row[3 * x + c];
            break;
          case PixelFormat::bgr:
            to[c] = row[3 * x + 2 - c];
            break;
          case PixelFormat::rgba:
            to[c] = row[4 * x + c];
            break;
          case PixelFormat::bgra:
            to[c] = row[4 * x + 2 - c];
            break;
          case PixelFormat::grey:
            to[c] = row[x];
            break;
        }
      }
    }
  }
  return image;
}

}  // namespace

TEST_CASE("a view of any format and row distance is resized and prepared as its RGB copy is") {
  unsigned seed = 0;
  for (const PixelFormat format : formats) {
    for (const std::ptrdiff_t gap : {0, 1, 7, -4}) {
      for (const Size size : {Size{40, 31}, Size{5, 90}, Size{90, 5}, Size{1, 1}}) {
        const Foreign foreign(size, format, gap, ++seed);
        const Image copy = copied(foreign.view);
        CAPTURE(seed);
        CHECK(Image(foreign.view) == copy);
        CHECK(flip_horizontally(flip_horizontally(foreign.view)) == copy);
        for (const PassOrder order : {PassOrder::pillow13, PassOrder::horizontal_first}) {
          for (const Size wanted : {Size{28, 28}, size, Size{size.width, 14}, Size{14, size.height},
                                    Size{3, 70}, Size{70, 3}}) {
            CHECK(resize_image(foreign.view, wanted, ResizeFilter::bicubic, order) ==
                  resize_image(copy, wanted, ResizeFilter::bicubic, order));
          }
        }
        for (const Resize resize : {Resize::squash, Resize::letterbox, Resize::native}) {
          const auto transform = make_image_transform(size, resize, 28, 14);
          const std::size_t count = 3 * static_cast<std::size_t>(transform.input.width) *
                                    static_cast<std::size_t>(transform.input.height);
          std::vector<float> floats(count, -9), expected_floats(count, -8);
          prepare_input(foreign.view, transform, imagenet_normalization, ResizeFilter::bicubic,
                        floats.data());
          prepare_input(copy, transform, imagenet_normalization, ResizeFilter::bicubic,
                        expected_floats.data());
          CHECK(floats == expected_floats);
          std::vector<std::uint8_t> bytes(count, 1), expected_bytes(count, 2);
          prepare_bytes(foreign.view, transform, ResizeFilter::bicubic, bytes.data());
          prepare_bytes(copy, transform, ResizeFilter::bicubic, expected_bytes.data());
          CHECK(bytes == expected_bytes);
        }
      }
    }
  }
}

TEST_CASE("a flipped picture has its columns in the other order") {
  for (const int width : {1, 2, 7}) {
    const Foreign foreign({width, 3}, PixelFormat::bgr, 2, 99);
    const Image copy = copied(foreign.view), flipped = flip_horizontally(foreign.view);
    for (int y = 0; y < 3; ++y) {
      for (int x = 0; x < width; ++x) {
        for (int c = 0; c < 3; ++c) CHECK(flipped.at(width - 1 - x, y)[c] == copy.at(x, y)[c]);
      }
    }
  }
}

TEST_CASE("a view that is none says what it was given") {
  const std::vector<std::uint8_t> bytes(100);
  CHECK_THROWS_WITH_AS(ImageView(bytes.data(), {10, 3}, PixelFormat::rgb, 29),
                       "image view: expected a picture that is not empty, with rows of at least 30 "
                       "bytes, got 10x3 px with rows 29 bytes apart",
                       ShapeError);
  CHECK_THROWS_AS(ImageView(bytes.data(), {10, 3}, PixelFormat::rgba, -39), ShapeError);
  CHECK_THROWS_AS(ImageView(bytes.data(), {0, 3}, PixelFormat::grey), ShapeError);
  CHECK_THROWS_AS(ImageView(bytes.data(), {3, -1}, PixelFormat::grey), ShapeError);
  CHECK_THROWS_WITH_AS(ImageView(nullptr, {2, 2}, PixelFormat::grey),
                       doctest::Contains("and no pixels"), ShapeError);
  CHECK_THROWS_WITH_AS(Image(ImageView{}), doctest::Contains("Image: expected a picture that is"),
                       ShapeError);
  Image broken(4, 4);
  broken.pixels.resize(47);
  CHECK_THROWS_AS(ImageView{broken}, ShapeError);
  CHECK_THROWS_AS(Image(-1, -1), ShapeError);
  CHECK_THROWS_AS(Image(-1, 5), ShapeError);
}
