// SPDX-License-Identifier: Apache-2.0
#include "homolog/visualization/draw_similarity.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "homolog/images/prepare.hpp"

using namespace homolog;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

FrameTransform frames(Size image, Resize resize, int size, int patch) {
  const ImageTransform to_input = make_image_transform(image, resize, size, patch);
  return {to_input, make_grid_transform(to_input.input, patch)};
}

SimilarityMap view(const FloatMatrix& map) { return map; }

double brightness(const Image& image, int x, int y) {
  const std::uint8_t* pixel = image.at(x, y);
  return 0.3 * pixel[0] + 0.59 * pixel[1] + 0.11 * pixel[2];
}

}  // namespace

TEST_CASE("colours grow brighter with the value, from end to end") {
  double before = -1;
  for (int i = 0; i <= 100; ++i) {
    const auto colour = detail::similarity_colour(i / 100.0);
    const double now = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2];
    CHECK(now > before);
    before = now;
  }
  CHECK((detail::similarity_colour(-3) == detail::similarity_colour(0)));
  CHECK((detail::similarity_colour(3) == detail::similarity_colour(1)));
}

TEST_CASE("each pixel has the colour of the cell that shows it") {
  const FrameTransform transform = frames({96, 48}, Resize::squash, 64, 16);  // 4x4 cells
  FloatMatrix map(4, 4);
  map(1, 2) = 1;
  DrawSimilaritySetting setting;
  setting.opacity = 1;
  const Image drawn = draw_similarity(Image(96, 48), view(map), transform, setting);
  int bright = 0;
  for (int y = 0; y < 48; ++y) {
    for (int x = 0; x < 96; ++x) {
      const bool inside = x >= 48 && x < 72 && y >= 12 && y < 24;
      CHECK((brightness(drawn, x, y) > 150) == inside);
      bright += brightness(drawn, x, y) > 150 ? 1 : 0;
    }
  }
  CHECK(bright == 24 * 12);
}

TEST_CASE("smooth drawing is brightest at the peak's centre and falls off on all sides") {
  const FrameTransform transform = frames({64, 64}, Resize::squash, 64, 16);
  FloatMatrix map(4, 4);
  map(2, 1) = 1;
  DrawSimilaritySetting setting;
  setting.opacity = 1;
  setting.smooth = true;
  const Image drawn = draw_similarity(Image(64, 64), view(map), transform, setting);
  for (int step = 1; step < 12; ++step) {
    CHECK(brightness(drawn, 24 + step, 40) <= brightness(drawn, 24 + step - 1, 40));
    CHECK(brightness(drawn, 23 - step, 40) <= brightness(drawn, 24 - step, 40));
  }
  CHECK(brightness(drawn, 24, 40) > 180);
}

TEST_CASE("padding and other values that are not finite leave the picture bare") {
  const FrameTransform transform = frames({64, 32}, Resize::letterbox, 64, 16);  // rows 1 and 2
  FloatMatrix map(4, 4, 0.5F);
  map.row(0).setConstant(-infinity);
  map.row(3).setConstant(-infinity);
  map(1, 0) = not_a_number;
  map(2, 3) = 0.9F;
  Image picture(64, 32);
  for (auto& value : picture.pixels) value = 7;
  const Image drawn = draw_similarity(picture, view(map), transform);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 64; ++x) {
      const bool bare = x < 16 && y < 16;
      CHECK((drawn.at(x, y)[2] == 7) == bare);
    }
  }
}

TEST_CASE("no opacity gives the picture, set bounds the same colours for all maps") {
  const FrameTransform transform = frames({32, 32}, Resize::squash, 32, 16);
  Image picture(32, 32);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    picture.pixels[i] = static_cast<std::uint8_t>(i * 31 % 256);
  }
  const FloatMatrix map(2, 2, 0.25F);
  DrawSimilaritySetting setting;
  setting.opacity = 0;
  CHECK(draw_similarity(picture, view(map), transform, setting).pixels == picture.pixels);
  setting.opacity = 1;
  setting.low = 0;
  setting.high = 0.5F;
  const auto middle = detail::similarity_colour(0.5);
  const Image drawn = draw_similarity(picture, view(map), transform, setting);
  CHECK(drawn.at(5, 6)[0] == std::lround(middle[0]));
}

TEST_CASE("maps of another shape, other pictures and maps without a finite value are refused") {
  const FrameTransform transform = frames({32, 32}, Resize::squash, 32, 16);
  const FloatMatrix wrong(2, 3);
  const FloatMatrix right(2, 2);
  const FloatMatrix none(2, 2, -infinity);
  CHECK_THROWS_WITH_AS(draw_similarity(Image(32, 32), view(wrong), transform),
                       "draw_similarity: a map of 2x3 cells, expected 2x2", ShapeError);
  CHECK_THROWS_WITH_AS(draw_similarity(Image(32, 31), view(right), transform),
                       "draw_similarity: a picture of 32x31, expected 32x32", ShapeError);
  CHECK_THROWS_AS(draw_similarity(Image(32, 32), view(none), transform), ValueError);
}
