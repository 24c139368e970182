// SPDX-License-Identifier: Apache-2.0
#include "homolog/images/prepare.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "images/fixtures.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

/// [3, height, width] of one picture.
struct Prepared {
  Size size;
  std::vector<float> values;
  float at(int c, int x, int y) const {
    return values[static_cast<std::size_t>((c * size.height + y) * size.width + x)];
  }
};

Prepared prepare(const Image& image, const ImageTransform& transform,
                 const Normalization& normalization = imagenet_normalization,
                 ResizeFilter filter = ResizeFilter::bicubic) {
  const auto count = static_cast<std::size_t>(transform.input.width * transform.input.height * 3);
  // Filled with NaN, so that a value nobody wrote shows.
  Prepared prepared{transform.input,
                    std::vector<float>(count + 1, std::numeric_limits<float>::quiet_NaN())};
  prepare_input(image, transform, normalization, filter, prepared.values.data());
  CHECK(std::isnan(prepared.values.back()));
  prepared.values.pop_back();
  return prepared;
}

}  // namespace

TEST_CASE("squash holds the resized picture, normalised in float32, one plane a channel") {
  const Image image = generated_picture(50, 33, 9);
  for (const ResizeFilter filter : {ResizeFilter::bicubic, ResizeFilter::bilinear}) {
    for (const auto& normalization : {imagenet_normalization, half_normalization}) {
      const auto transform = make_image_transform(image.size(), Resize::squash, 42, 14);
      const Prepared prepared = prepare(image, transform, normalization, filter);
      const Image resized = resize_image(image, {42, 42}, filter);
      bool equal = true;
      for (int c = 0; c < 3; ++c) {
        const auto channel = static_cast<std::size_t>(c);
        for (int y = 0; y < 42; ++y) {
          for (int x = 0; x < 42; ++x) {
            volatile float scaled = static_cast<float>(resized.at(x, y)[c]) / 255.0F;
            volatile float centred = scaled - normalization.mean[channel];
            equal = equal &&
                    prepared.at(c, x, y) == centred / normalization.standard_deviation[channel];
          }
        }
      }
      CHECK(equal);
    }
  }
}

TEST_CASE("channels are red, green, blue, and known values come out as torchvision's") {
  Image image(14, 14);
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    image.pixels[i] = 255;
    image.pixels[i + 1] = 0;
    image.pixels[i + 2] = 128;
  }
  const Prepared prepared =
      prepare(image, make_image_transform(image.size(), Resize::squash, 14, 14));
  CHECK(prepared.at(0, 7, 7) == doctest::Approx((1 - 0.485) / 0.229).epsilon(1e-6));
  CHECK(prepared.at(1, 0, 13) == doctest::Approx(-0.456 / 0.224).epsilon(1e-6));
  CHECK(prepared.at(2, 13, 0) == doctest::Approx((128 / 255.0 - 0.406) / 0.225).epsilon(1e-5));
}

TEST_CASE("letterbox centres the picture and pads with exact zeros after normalisation") {
  for (const Size size : {Size{60, 31}, Size{31, 60}, Size{300, 7}, Size{5, 5}}) {
    const Image image = generated_picture(size.width, size.height, 4);
    const auto transform = make_image_transform(size, Resize::letterbox, 56, 14);
    const Prepared prepared = prepare(image, transform);
    const Image resized = resize_image(image, transform.content);
    const Prepared content =
        prepare(resized, ImageTransform{resized.size(), resized.size(), resized.size(), 0, 0});
    bool zeros = true, same = true;
    for (int c = 0; c < 3; ++c) {
      for (int y = 0; y < 56; ++y) {
        for (int x = 0; x < 56; ++x) {
          const int in_x = x - transform.offset_x, in_y = y - transform.offset_y;
          const bool inside = in_x >= 0 && in_y >= 0 && in_x < transform.content.width &&
                              in_y < transform.content.height;
          const float value = prepared.at(c, x, y);
          if (inside) {
            same = same && value == content.at(c, in_x, in_y);
          } else {
            zeros = zeros && value == 0.0F && !std::signbit(value);
          }
        }
      }
    }
    CHECK(zeros);
    CHECK(same);
  }
}

TEST_CASE("a picture of the input's own size is not resampled") {
  const Image image = generated_picture(28, 42, 6);
  const auto transform = make_image_transform(image.size(), Resize::native, 0, 14);
  REQUIRE(transform.content == image.size());
  const Prepared prepared = prepare(image, transform, Normalization{{0, 0, 0}, {1, 1, 1}});
  for (int c = 0; c < 3; ++c) {
    CHECK(prepared.at(c, 27, 41) == static_cast<float>(image.at(27, 41)[c]) / 255.0F);
  }
}

TEST_CASE("a transform of another picture, or one that leaves the input, is refused untouched") {
  const Image image(30, 20);
  std::vector<float> values(3 * 14 * 14, 5.0F);
  const auto refused = [&](const ImageTransform& transform) {
    CHECK_THROWS_AS(prepare_input(image, transform, {}, ResizeFilter::bicubic, values.data()),
                    ShapeError);
    CHECK(values == std::vector<float>(3 * 14 * 14, 5.0F));
  };
  refused(make_image_transform({20, 30}, Resize::squash, 14, 14));
  refused({{30, 20}, {14, 14}, {14, 14}, 1, 0});
  refused({{30, 20}, {14, 14}, {10, 14}, 0, -1});
  refused({{30, 20}, {14, 14}, {0, 14}, 0, 0});
  refused({{30, 20}, {14, 14}, {14, 15}, 0, 0});
  CHECK_THROWS_WITH_AS(prepare_input(image, make_image_transform({31, 20}, Resize::squash, 14, 14),
                                     {}, ResizeFilter::bicubic, values.data()),
                       "prepare_input: expected a picture of 31x20 as in the transform, got 30x20",
                       ShapeError);
  CHECK_THROWS_AS(
      prepare_input(image, make_image_transform({30, 20}, Resize::squash, 14, 14),
                    Normalization{{0, 0, 0}, {1, 0, 1}}, ResizeFilter::bicubic, values.data()),
      SettingError);
}

TEST_CASE("flipping moves pixel x to width - 1 - x, and twice is the identity") {
  for (const Size size : {Size{1, 3}, Size{2, 1}, Size{17, 5}}) {
    const Image image = generated_picture(size.width, size.height, 8);
    const Image flipped = flip_horizontally(image);
    bool mirrored = true;
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        for (int c = 0; c < 3; ++c) {
          mirrored = mirrored && flipped.at(size.width - 1 - x, y)[c] == image.at(x, y)[c];
        }
      }
    }
    CHECK(mirrored);
    CHECK(flip_horizontally(flipped) == image);
  }
  CHECK_THROWS_AS(flip_horizontally(Image{}), ShapeError);
}

TEST_CASE("resizing a flipped picture is flipping the resized one") {
  const Image image = generated_picture(64, 40, 2);
  CHECK(resize_image(flip_horizontally(image), {32, 20}) ==
        flip_horizontally(resize_image(image, {32, 20})));
}
