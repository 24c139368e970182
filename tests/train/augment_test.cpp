// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"

#include "homolog/train/augment.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "pipeline/pictures.hpp"

using namespace homolog;

TEST_CASE("the orders of epochs are permutations, other ones for other seeds and epochs") {
  const auto order = shuffled_order(100, 5, 0);
  CHECK(std::set<std::size_t>(order.begin(), order.end()).size() == 100);
  CHECK(order == shuffled_order(100, 5, 0));
  CHECK(order != shuffled_order(100, 5, 1));
  CHECK(order != shuffled_order(100, 6, 0));
}

TEST_CASE("keypoints follow their pixels through flips and crops, and are never cut off") {
  RandomStream random(3, {});
  for (int round = 0; round < 500; ++round) {
    AnnotatedImage view{test::noise_picture(40, 30, static_cast<unsigned>(round % 5)), {}};
    const auto count = 1 + random.below(5);
    for (std::uint64_t n = 0; n < count; ++n) {
      view.keypoints.push_back(
          {static_cast<double>(random.below(40)), static_cast<double>(random.below(30))});
    }
    const auto [source, target] = Augmentation{{0.5, 0, 1}}(view, view, random);
    for (const AnnotatedImage* changed : {&source, &target}) {
      REQUIRE(changed->keypoints.size() == view.keypoints.size());
      for (std::size_t n = 0; n < view.keypoints.size(); ++n) {
        const auto [x, y] = changed->keypoints[n];
        REQUIRE((x >= 0 && y >= 0 && x < changed->image.width && y < changed->image.height));
        const auto* now = changed->image.at(static_cast<int>(x), static_cast<int>(y));
        const auto* before = view.image.at(static_cast<int>(view.keypoints[n].x),
                                           static_cast<int>(view.keypoints[n].y));
        CHECK(std::equal(now, now + 3, before));
      }
    }
  }
}

TEST_CASE("a keypoint on the picture's far edge survives every flip and crop") {
  RandomStream random(4, {});
  // Annotations reach x = width and y = height; mirrored, x = width would be -1.
  for (const double x : {40.0, 39.5, 0.0}) {
    const AnnotatedImage view{test::noise_picture(40, 30, 1), {{x, 30}, {20, 10}}};
    for (int round = 0; round < 100; ++round) {
      const auto [source, target] = Augmentation{{0.5, 0, 1}}(view, view, random);
      for (const AnnotatedImage* changed : {&source, &target}) {
        CHECK_NOTHROW(require_inside(changed->keypoints, changed->image.size()));
      }
    }
  }
  CHECK(flip_view({test::noise_picture(40, 30, 1), {{40, 3}, {39, 4}, {0, 5}}}).keypoints ==
        Points<ImageFrame>{{0, 3}, {0, 4}, {39, 5}});
}

TEST_CASE("zeros and factors of one change nothing, grey stays grey") {
  const AnnotatedImage view{test::noise_picture(20, 10, 1), {{3, 4}}};
  RandomStream random(0, {});
  const auto [source, target] = Augmentation{}(view, view, random);
  CHECK((source.image == view.image && target.keypoints == view.keypoints));
  CHECK((jitter_colour(view.image, 1, 1, 1) == view.image));
  const Image grey = jitter_colour(view.image, 1, 1, 0);
  for (std::size_t i = 0; i < grey.pixels.size(); i += 3) {
    CHECK((grey.pixels[i] == grey.pixels[i + 1] && grey.pixels[i] == grey.pixels[i + 2]));
  }
  CHECK((jitter_colour(grey, 1, 1, 0.5) == grey));
  CHECK(jitter_colour(view.image, 0, 1, 1).pixels == std::vector<std::uint8_t>(600, 0));
}

TEST_CASE("augmentation refuses what cannot be meant") {
  const AnnotatedImage view{test::noise_picture(20, 10, 1), {{3, 4}}};
  RandomStream random(0, {});
  using Setting = Augmentation::Setting;
  for (const Setting& bad : {Setting{1.1, 0, 0},
                             {-0.1, 0, 0},
                             {0, 1, 0},
                             {0, 0, 2},
                             {std::numeric_limits<double>::quiet_NaN(), 0, 0}}) {
    const Augmentation augment{bad};
    CHECK_THROWS_AS(augment(view, view, random), SettingError);
    CHECK_THROWS_AS(augment.mirrors(random), SettingError);
    CHECK_THROWS_AS(changes_views(augment), SettingError);
  }
  CHECK_THROWS_AS(choose_crop({10, 10}, {{11, 3}}, 0.5, random), PointError);
  CHECK_THROWS_AS(crop_view(view, {0, 0, 21, 5}), ShapeError);
  CHECK_THROWS_AS(jitter_colour(view.image, -1, 1, 1), SettingError);
}
