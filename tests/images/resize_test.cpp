// SPDX-License-Identifier: Apache-2.0
#include "homolog/images/resize.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "images/fixtures.hpp"
#include "images/resize_reference.hpp"

using namespace homolog;
using namespace homolog::test;

TEST_CASE("both filters and both pass orders equal Pillow bit for bit") {
  int order_shows = 0;
  for (const ResizeReference& reference : resize_references) {
    const Image picture = generated_picture(reference.width, reference.height, reference.seed);
    const Size size{reference.new_width, reference.new_height};
    CAPTURE(reference.seed);
    CHECK(picture_crc(resize_image(picture, size)) == reference.bicubic);
    CHECK(picture_crc(resize_image(picture, size, ResizeFilter::bilinear)) == reference.bilinear);
    CHECK(picture_crc(resize_image(picture, size, ResizeFilter::bicubic,
                                   PassOrder::horizontal_first)) == reference.horizontal_first);
    order_shows += reference.bicubic != reference.horizontal_first;
  }
  CHECK(order_shows >= 10);
}

TEST_CASE("the portable passes and the ones chosen at run time give the same bytes") {
  for (const ResizeReference& reference : resize_references) {
    const Image picture = generated_picture(reference.width, reference.height, reference.seed);
    const auto across =
        detail::make_resample_axis(reference.width, reference.new_width, 2.0, detail::cubic_kernel);
    Image portable(reference.new_width, reference.height);
    detail::resample_rows(picture, across, portable);
    CHECK(portable == detail::resample_width(picture, across));
    const auto down = detail::make_resample_axis(reference.height, reference.new_height, 2.0,
                                                 detail::cubic_kernel);
    Image portable_down(reference.width, reference.new_height);
    detail::resample_columns(picture, 3 * std::ptrdiff_t{picture.width}, down,
                             portable_down.pixels.data());
    std::vector<std::uint8_t> bytes;
    detail::resample_height(picture, down, bytes);
    CHECK(portable_down.pixels == bytes);
  }
}

TEST_CASE("the same size is the identity and one colour stays one colour") {
  const Image noise = generated_picture(31, 17, 3);
  CHECK(resize_image(noise, noise.size()) == noise);
  Image plain(23, 40);
  for (std::size_t i = 0; i < plain.pixels.size(); i += 3) {
    plain.pixels[i] = 255;
    plain.pixels[i + 1] = 7;
    plain.pixels[i + 2] = 0;
  }
  for (const Size size : {Size{1, 1}, Size{5, 90}, Size{224, 224}, Size{200, 3}}) {
    for (const ResizeFilter filter : {ResizeFilter::bicubic, ResizeFilter::bilinear}) {
      const Image resized = resize_image(plain, size, filter);
      REQUIRE(resized.size() == size);
      bool same = true;
      for (std::size_t i = 0; i < resized.pixels.size(); i += 3) {
        same = same && std::equal(plain.pixels.begin(), plain.pixels.begin() + 3,
                                  resized.pixels.begin() + static_cast<std::ptrdiff_t>(i));
      }
      CHECK(same);
    }
  }
}

TEST_CASE("halving with the triangle keeps a ramp's half-pixel positions") {
  // Value 4x sampled at x = 2i + 0.5 is 8i + 2: an off-by-half resize would give 8i or 8i + 4.
  Image ramp(60, 4);
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 60; ++x) ramp.at(x, y)[0] = static_cast<std::uint8_t>(4 * x);
  }
  for (const ResizeFilter filter : {ResizeFilter::bicubic, ResizeFilter::bilinear}) {
    const Image half = resize_image(ramp, {30, 4}, filter);
    for (int x = 3; x < 27; ++x) CHECK(half.at(x, 1)[0] == 8 * x + 2);
  }
}

TEST_CASE("sizes that make no picture are refused") {
  const Image picture(4, 4);
  for (const Size size :
       {Size{0, 4}, Size{4, 0}, Size{-1, 4}, Size{(1 << 20) + 1, 1}, Size{1 << 20, 1 << 20}}) {
    CHECK_THROWS_AS(resize_image(picture, size), SettingError);
  }
  CHECK_THROWS_WITH_AS(resize_image(Image{}, {4, 4}),
                       doctest::Contains("resize_image: expected a picture that is not empty"),
                       ShapeError);
  Image broken(4, 4);
  broken.pixels.resize(47);
  CHECK_THROWS_WITH_AS(resize_image(broken, {2, 2}),
                       "picture: expected height * width * 3 bytes, got 47 bytes for 4x4",
                       ShapeError);
}
