// SPDX-License-Identifier: Apache-2.0
#include "homolog/datasets/validate.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "homolog/datasets/select.hpp"

using namespace homolog;

namespace {

Pair good_pair() {
  Pair pair;
  pair.name = "car/a-b";
  pair.category = "car";
  pair.source_keypoints = {{0, 0}, {30, 20}};
  pair.target_keypoints = {{5, 6}, {40, 50}};
  pair.target_box = Box<ImageFrame>{1, 1, 40, 50};
  pair.source_size = Size{30, 20};
  pair.target_size = Size{40, 50};
  return pair;
}

constexpr Size source{30, 20}, target{40, 50};

}  // namespace

TEST_CASE("keypoints may lie on the far edges, as annotations are partly 1-based") {
  CHECK_NOTHROW(validate_pair(good_pair(), source, target));
}

TEST_CASE("a keypoint that is not finite or not inside is named") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, inf, -inf, 1e300, -1e300, -0.001}) {
    for (const bool in_target : {false, true}) {
      for (const bool in_y : {false, true}) {
        Pair pair = good_pair();
        auto& point = (in_target ? pair.target_keypoints : pair.source_keypoints)[1];
        (in_y ? point.y : point.x) = bad;
        CHECK_THROWS_AS(validate_pair(pair, source, target), PointError);
      }
    }
  }
  Pair pair = good_pair();
  pair.target_keypoints[1].y = 50.5;
  CHECK_THROWS_WITH_AS(
      validate_pair(pair, source, target),
      "pair car/a-b: target keypoint 1 at (40, 50.5) is not inside its 40x50 picture", PointError);
}

TEST_CASE("counts, sizes and boxes that contradict the picture are refused") {
  const auto refused = [](auto change) {
    Pair pair = good_pair();
    change(pair);
    CHECK_THROWS_AS(validate_pair(pair, source, target), DatasetError);
  };
  refused([](Pair& p) { p.source_keypoints = {}, p.target_keypoints = {}; });
  refused([](Pair& p) { p.source_keypoints.push_back({1, 1}); });
  refused([](Pair& p) { p.target_keypoints = {}; });
  refused([](Pair& p) { p.keypoint_ids = {3}; });
  refused([](Pair& p) { p.source_size = Size{20, 30}; });
  refused([](Pair& p) { p.target_size = Size{40, 49}; });
  refused([](Pair& p) { p.target_box = Box<ImageFrame>{5, 1, 4, 20}; });
  refused([](Pair& p) { p.target_box = Box<ImageFrame>{1, 20, 4, 2}; });
  refused([](Pair& p) { p.target_box = Box<ImageFrame>{0, 0, 400, 20}; });
  refused([](Pair& p) {
    p.target_box = Box<ImageFrame>{0, 0, std::numeric_limits<double>::quiet_NaN(), 20};
  });
  CHECK_THROWS_AS(validate_pair(good_pair(), {0, 20}, target), DatasetError);
  CHECK_THROWS_AS(validate_pair(good_pair(), source, {-40, 50}), DatasetError);
  CHECK_THROWS_WITH_AS(validate_pair(good_pair(), source, {50, 40}),
                       "pair car/a-b: the target picture is annotated as 40x50 but is 50x40",
                       DatasetError);
}

TEST_CASE("a bounding box holds every point and touches its sides") {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> coordinate(-50, 50);
  for (int trial = 0; trial < 100; ++trial) {
    Points<ImageFrame> points(static_cast<std::size_t>(trial % 9 + 1));
    for (auto& point : points) point = {coordinate(random), coordinate(random)};
    const auto box = bounding_box(points);
    bool left = false, top = false, right = false, bottom = false;
    for (const auto [x, y] : points) {
      CHECK((x >= box.x1 && x <= box.x2 && y >= box.y1 && y <= box.y2));
      left |= x == box.x1, right |= x == box.x2, top |= y == box.y1, bottom |= y == box.y2;
    }
    CHECK((left && right && top && bottom));
  }
}

TEST_CASE("selecting keeps order, filters before it limits, and names a category without pairs") {
  Dataset all{"d", "test", ThresholdNorm::image_size, {}};
  for (int i = 0; i < 12; ++i) {
    Pair pair;
    pair.name = std::to_string(i);
    pair.category = i % 3 == 0 ? "cat" : "dog";
    all.pairs.push_back(pair);
  }
  CHECK(select_pairs(all, {}).pairs.size() == 12);
  CHECK(select_pairs(all, {}, 5).pairs.size() == 5);
  CHECK(select_pairs(all, {"cat", "dog"}, 99).pairs.size() == 12);
  const Dataset cats = select_pairs(all, {"cat"}, 3);
  REQUIRE(cats.pairs.size() == 3);
  CHECK(cats.pairs[2].name == "6");
  CHECK_THROWS_WITH_AS(select_pairs(all, {"cat", "cow"}),
                       "d test: no pair of category 'cow'; it has cat, dog", DatasetError);
}
