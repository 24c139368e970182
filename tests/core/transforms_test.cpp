// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/transforms.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include <random>
#include <type_traits>

using namespace homolog;

// Frames are types: a point of one frame is no point of another.
static_assert(!std::is_convertible_v<Point<ImageFrame>, Point<InputFrame>>);
static_assert(!std::is_convertible_v<Points<GridFrame>, Points<ImageFrame>>);
static_assert(!std::is_invocable_v<decltype([](const FrameTransform& t, auto p) requires requires {
                                     t.to_grid(p);
                                   } {}),
                                   FrameTransform, Point<GridFrame>>);

TEST_CASE("every transform and its inverse are one another's inverse") {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> side(1, 900), patches(1, 60);
  for (int trial = 0; trial < 300; ++trial) {
    const int patch = trial % 2 == 0 ? 14 : 16;
    const Size image{side(random), side(random)};
    const Resize mode = std::array{Resize::squash, Resize::letterbox, Resize::longest_side,
                                   Resize::native}[static_cast<std::size_t>(trial) % 4];
    const auto to_input = make_image_transform(image, mode, patches(random) * patch, patch);
    const FrameTransform transform{to_input, make_grid_transform(to_input.input, patch)};
    CHECK(transform.grid.rows * patch == to_input.input.height);
    CHECK(transform.grid.cols * patch == to_input.input.width);
    const Point<ImageFrame> point{side(random) * 0.37, side(random) * 0.81};
    const auto back = transform.to_image(transform.to_grid(point));
    CHECK(back.x == doctest::Approx(point.x).epsilon(1e-12));
    CHECK(back.y == doctest::Approx(point.y).epsilon(1e-12));
  }
}

TEST_CASE("edges map to edges: the picture's corners are the corners of its content") {
  for (const Resize mode :
       {Resize::squash, Resize::letterbox, Resize::longest_side, Resize::native}) {
    const auto t = make_image_transform({300, 200}, mode, 224, 14);
    const auto top_left = t.to_input(Point<ImageFrame>{-0.5, -0.5});
    const auto bottom_right = t.to_input(Point<ImageFrame>{299.5, 199.5});
    CHECK(top_left.x == doctest::Approx(t.offset_x - 0.5));
    CHECK(top_left.y == doctest::Approx(t.offset_y - 0.5));
    CHECK(bottom_right.x == doctest::Approx(t.offset_x + t.content.width - 0.5));
    CHECK(bottom_right.y == doctest::Approx(t.offset_y + t.content.height - 0.5));
  }
}

TEST_CASE("an answer on padding is moved onto the picture's edge, one on the picture stays") {
  const auto to_input = make_image_transform({1000, 301}, Resize::letterbox, 224, 14);
  const FrameTransform transform{to_input, make_grid_transform(to_input.input, 14)};
  CHECK(transform.to_image(Point<GridFrame>{8, 0}).y < -0.5);
  const auto above = transform.answer_to_image({8, 0}), below = transform.answer_to_image({8, 15});
  CHECK(above.y == -0.5);
  CHECK(below.y == 300.5);
  CHECK(above.x == transform.to_image(Point<GridFrame>{8, 0}).x);
  CHECK(transform.answer_to_image({8, 7.5}) == transform.to_image(Point<GridFrame>{8, 7.5}));
  CHECK(to_input.nearest_inside({-0.5, 300.5}) == Point<ImageFrame>{-0.5, 300.5});
  CHECK(to_input.nearest_inside({2000, 12}) == Point<ImageFrame>{999.5, 12});
  CHECK(std::isnan(to_input.nearest_inside({std::nan(""), 12}).x));
}

TEST_CASE("a patch centre is an integer cell, and a mirrored point a mirrored cell") {
  const auto grid = make_grid_transform({224, 224}, 14);
  for (int cell = 0; cell < 16; ++cell) {
    const double centre = cell * 14 + 6.5;
    CHECK(grid.to_grid(Point<InputFrame>{centre, 0}).x == doctest::Approx(cell));
    const auto mirrored = grid.to_grid(Point<InputFrame>{223 - centre, 0});
    CHECK(mirrored.x == doctest::Approx(15 - cell));
  }
}

TEST_CASE("letterbox keeps the aspect ratio and centres the picture") {
  const auto t = make_image_transform({640, 480}, Resize::letterbox, 518, 14);
  CHECK(t.content == Size{518, 389});
  CHECK(t.offset_x == 0);
  CHECK(t.offset_y == 64);
  const auto thin = make_image_transform({4000, 1}, Resize::letterbox, 224, 14);
  CHECK(thin.content == Size{224, 1});
}

TEST_CASE("longest side: SAM's own sizes, the picture at the top left") {
  for (const auto& [image, content] : {std::pair{Size{640, 480}, Size{1024, 768}},
                                       {Size{1920, 1080}, Size{1024, 576}},
                                       {Size{500, 333}, Size{1024, 682}},
                                       {Size{333, 500}, Size{682, 1024}}}) {
    const auto t = make_image_transform(image, Resize::longest_side, 1024, 16);
    CHECK(t.content == content);
    CHECK(t.input == Size{1024, 1024});
    CHECK(t.offset_x == 0);
    CHECK(t.offset_y == 0);
  }
  // x * scale / 16 - 0.5 for x from the image's edge.
  const auto t = make_image_transform({640, 480}, Resize::longest_side, 1024, 16);
  const auto cell =
      make_grid_transform(t.input, 16).to_grid(t.to_input(Point<ImageFrame>{99.5, 0}));
  CHECK(cell.x == doctest::Approx(100 * 1.6 / 16 - 0.5));
}

TEST_CASE("native rounds each side to the nearest multiple of the patch") {
  CHECK(make_image_transform({300, 200}, Resize::native, 0, 14).input == Size{294, 196});
  CHECK(make_image_transform({3, 22}, Resize::native, 0, 14).input == Size{14, 28});
}

TEST_CASE("sizes that fit no grid are refused") {
  CHECK_THROWS_WITH_AS(make_image_transform({10, 10}, Resize::squash, 225, 14),
                       "image size 225 is not a positive multiple of the patch size 14; the "
                       "nearest is 224",
                       SettingError);
  CHECK_THROWS_AS(make_image_transform({0, 10}, Resize::squash, 224, 14), SettingError);
  CHECK_THROWS_AS(make_image_transform({10, 10}, Resize::letterbox, 0, 14), SettingError);
  CHECK_THROWS_AS(make_grid_transform({224, 225}, 14), SettingError);
}

TEST_CASE("points are an [N,2] matrix without a copy") {
  const Points<ImageFrame> points{{1, 2}, {3, 4}};
  CHECK(points.matrix()(1, 0) == 3);
  CHECK(points.matrix()(1, 1) == 4);
  CHECK(points.matrix().data() == &points[0].x);
  CHECK(Points<ImageFrame>{}.matrix().rows() == 0);
}
