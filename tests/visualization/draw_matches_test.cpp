// SPDX-License-Identifier: Apache-2.0
#include "homolog/visualization/draw_matches.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>

using namespace homolog;

namespace {

Image grey(int width, int height) {
  Image image(width, height);
  std::ranges::fill(image.pixels, std::uint8_t{120});
  return image;
}

std::size_t changed_pixels(const Image& a, const Image& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.pixels.size(); i += 3) {
    count += !std::equal(a.pixels.begin() + static_cast<std::ptrdiff_t>(i),
                         a.pixels.begin() + static_cast<std::ptrdiff_t>(i) + 3,
                         b.pixels.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return count;
}

}  // namespace

TEST_CASE("Without points both pictures stand side by side, unchanged") {
  const Image canvas = draw_matches(grey(40, 30), grey(20, 50), {}, {});
  CHECK(canvas.size() == Size{40 + 12 + 20, 50});
  CHECK(*canvas.at(39, 29) == 120);
  CHECK(*canvas.at(40, 10) == 255);
  CHECK(*canvas.at(5, 40) == 255);
  CHECK(*canvas.at(52, 49) == 120);
}

TEST_CASE("A match is drawn at its points, and a missed one thinner") {
  const Image empty = draw_matches(grey(200, 100), grey(200, 100), {}, {});
  const Points<ImageFrame> from{{20, 50}}, to{{180, 50}}, near{{182, 50}}, far{{100, 90}};
  const Image hit = draw_matches(grey(200, 100), grey(200, 100), from, to, &near, 10);
  const Image miss = draw_matches(grey(200, 100), grey(200, 100), from, to, &near, 1);
  CHECK(*hit.at(20, 50) != 120);
  CHECK(*hit.at(200 + 12 + 180, 50) != 120);
  CHECK(hit.pixels != miss.pixels);
  CHECK(changed_pixels(hit, empty) > 0);
  const Image ring = draw_matches(grey(200, 100), grey(200, 100), from, to, &far, 10);
  CHECK(changed_pixels(ring, empty) > changed_pixels(miss, empty));
}

TEST_CASE("The colours of matches are strong, and those of neighbours far apart") {
  for (std::size_t i = 0; i < 50; ++i) {
    const Colour colour = match_colour(i), next = match_colour(i + 1);
    CHECK(*std::max_element(colour.begin(), colour.end()) == 255);
    CHECK(*std::min_element(colour.begin(), colour.end()) == 50);
    int distance = 0;
    for (std::size_t c = 0; c < 3; ++c) distance += std::abs(colour[c] - next[c]);
    CHECK(distance > 200);
  }
}

TEST_CASE("Points outside the pictures draw nothing outside the canvas") {
  const Points<ImageFrame> from{{-500, -20}}, to{{9000, 40}};
  CHECK(draw_matches(grey(50, 50), grey(50, 50), from, to).size() == Size{112, 50});
}

TEST_CASE("Lists of different lengths are refused") {
  const Points<ImageFrame> one{{1, 1}}, two{{1, 1}, {2, 2}};
  CHECK_THROWS_AS(draw_matches(grey(9, 9), grey(9, 9), one, two), ShapeError);
  CHECK_THROWS_AS(draw_matches(grey(9, 9), grey(9, 9), one, one, &two), ShapeError);
}

TEST_CASE("points that are not finite or far away are not drawn, and nothing else is spoilt") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const Image bare(30, 20);
  for (const double strange : {nan, infinity, -infinity}) {
    for (const Point<ImageFrame> point :
         {Point<ImageFrame>{strange, 5}, {5, strange}, {strange, strange}}) {
      Image image = bare;
      draw_line(image, {4, 4}, point, 3, {255, 0, 0});
      draw_line(image, point, {4, 4}, 3, {255, 0, 0});
      draw_point(image, point, 4, {255, 0, 0});
      CHECK(image == bare);
    }
  }
  Image image = bare;
  draw_line(image, {4, 4}, {8, 4}, nan, {255, 0, 0});
  CHECK(image == bare);
  draw_line(image, {1e300, 1e300}, {1e300, 2e300}, 3, {255, 0, 0});
  draw_line(image, {-1e300, 4}, {-1e10, 4}, 3, {255, 0, 0});
  CHECK(image == bare);
  draw_line(image, {-1e10, 4}, {1e10, 4}, 3, {255, 0, 0});  // across the picture
  CHECK(image.at(15, 4)[0] == 255);
  CHECK(image.at(15, 12)[0] == 0);

  // One lost match does not change how the other is drawn.
  const Image source(20, 20), target(20, 20);
  const Points<ImageFrame> truth{{3, 3}, {9, 9}};
  const Image one = draw_matches(source, target, {{5, 5}}, {{4, 4}});
  const Image two = draw_matches(source, target, {{5, 5}, {nan, nan}}, {{4, 4}, {nan, 7}});
  CHECK(one == two);
  draw_matches(source, target, {{5, 5}, {6, 6}}, {{4, 4}, {nan, 7}}, &truth, 3);
}

TEST_CASE("drawing refuses settings and pictures that no drawing can have") {
  const Image picture(20, 20);
  Image torn = picture;
  torn.pixels.resize(40);
  CHECK_THROWS_AS(draw_matches(torn, picture, {{5, 5}}, {{4, 4}}), ShapeError);
  CHECK_THROWS_AS(draw_matches(picture, torn, {{5, 5}}, {{4, 4}}), ShapeError);
  for (const DrawSetting& setting :
       {DrawSetting{-1}, DrawSetting{std::nan("")}, DrawSetting{4, 1e9}, DrawSetting{4, 1, -50}}) {
    CHECK_THROWS_AS(draw_matches(picture, picture, {{5, 5}}, {{4, 4}}, nullptr, 0, setting),
                    SettingError);
  }
}
