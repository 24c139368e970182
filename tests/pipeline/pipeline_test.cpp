// SPDX-License-Identifier: Apache-2.0
#include "homolog/pipeline/pipeline.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

#include "homolog/backbones/any_backbone.hpp"
#include "homolog/backbones/synthetic.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/mutual_nearest.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/upsampled_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "pipeline/pictures.hpp"

using namespace homolog;
using namespace homolog::test;

TEST_CASE("a picture matched with itself gives each keypoint's own cell") {
  const Image picture = noise_picture(200, 160, 1);
  Pipeline<SyntheticBackbone, MutualNearest<Argmax>> pipeline;
  for (const Resize resize :
       {Resize::squash, Resize::letterbox, Resize::longest_side, Resize::native}) {
    pipeline.setting.resize = resize;
    pipeline.setting.image_size = 256;
    const FrameTransform transform = pipeline.transform(picture.size());
    const Points<ImageFrame> points{{20, 30}, {101.5, 80.25}, {180, 140}};
    const auto result = pipeline.match(picture, picture, points);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const auto asked = transform.to_grid(points[i]), got = transform.to_grid(result.points[i]);
      CHECK(got.x == doctest::Approx(std::floor(asked.x + 0.5)));
      CHECK(got.y == doctest::Approx(std::floor(asked.y + 0.5)));
      CHECK(result.scores[i] == doctest::Approx(1.0).epsilon(1e-4));
      CHECK(result.mutual[i]);
    }
  }
}

namespace {

// A user's matcher that answers at the corners and far outside of the grid.
struct Astray {
  Match operator()(const SimilarityMap& map) const {
    const auto corner = static_cast<int>(std::abs(map(0, 0)) * 1e6F) % 4;
    const double far = 1e6;
    return {{corner % 2 == 0 ? -far : far, corner < 2 ? -0.5 : far}, 0};
  }
};

template <class M>
void require_answers_inside(const M& matcher) {
  Pipeline<SyntheticBackbone, M> pipeline{SyntheticBackbone{}, matcher};
  for (const Resize resize :
       {Resize::squash, Resize::letterbox, Resize::longest_side, Resize::native}) {
    pipeline.setting.resize = resize;
    for (const int side : {64, 256}) {
      pipeline.setting.image_size = side;
      const std::array pictures{noise_picture(250, 75, 2), noise_picture(60, 240, 3),
                                noise_picture(37, 333, 4)};
      for (const Image& source : pictures) {
        Points<ImageFrame> points;  // as far out as keypoints may lie
        for (int i = 0; i <= 30; ++i) {
          points.push_back({source.width * i / 30.0, i % 3 == 0 ? -0.5 : source.height * i / 30.0});
        }
        for (const Image& target : pictures) {
          for (const auto& point : pipeline.match(source, target, points).points) {
            CHECK(point.x >= -0.5);
            CHECK(point.y >= -0.5);
            CHECK(point.x <= target.width - 0.5);
            CHECK(point.y <= target.height - 0.5);
          }
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("an answer lies inside the picture, whatever the matcher and the resize mode") {
  require_answers_inside(Argmax{});
  require_answers_inside(SoftArgmax{{0.01F}});
  require_answers_inside(SoftArgmax{});
  require_answers_inside(WindowSoftArgmax{});
  require_answers_inside(KernelSoftArgmax{});
  require_answers_inside(UpsampledArgmax{});
  require_answers_inside(CopyCoordinates{});
  require_answers_inside(MutualNearest<Argmax>{});
  require_answers_inside(Astray{});
}

TEST_CASE("a letterboxed strip is answered on it, not above it") {
  // The content begins at row 78 of the input: row 4 of the grid, rows 64 to 79, is padding but
  // for its last two pixels, and its centre lies 27 pixels above the picture.
  Pipeline<SyntheticBackbone> pipeline;
  pipeline.setting.resize = Resize::letterbox;
  pipeline.setting.image_size = 224;
  const Image strip = noise_picture(1000, 301, 5);
  const auto result = pipeline.match(strip, strip, {{0, 0}, {299, 299}});
  CHECK(result.points[0].y >= -0.5);
  CHECK(result.points[1].y <= 300.5);
}

TEST_CASE("an answer that is not finite is an error that names the query") {
  struct Lost {
    Match operator()(const SimilarityMap&) const { return {{0, std::nan("")}, 0}; }
  };
  Pipeline<SyntheticBackbone, Lost> pipeline;
  const Image picture = noise_picture(64, 64, 6);
  CHECK_THROWS_WITH_AS(
      pipeline.match(picture, picture, {{3, 3}}),
      "matcher: its answer to query 0 is the cell (0, nan), expected finite numbers", ValueError);
}

TEST_CASE("a backbone may name the input size it wants") {
  struct Wanting : SyntheticBackbone {
    int default_image_size() const { return 1024; }
  };
  CHECK(Pipeline<SyntheticBackbone>().transform({100, 80}).image.input == Size{512, 512});
  CHECK(Pipeline<Wanting>().transform({100, 80}).image.input == Size{1024, 1024});
  CHECK(Pipeline<AnyBackbone>(AnyBackbone(Wanting{})).transform({100, 80}).grid.rows == 64);
  Pipeline<Wanting> pipeline;
  pipeline.setting.image_size = 64;
  CHECK(pipeline.transform({100, 80}).image.input == Size{64, 64});
}

TEST_CASE("copy-coordinates copies relative positions exactly and runs no backbone") {
  struct Forbidden {
    int patch_size() const { return 14; }
    std::vector<FeatureMap> operator()(const InputBatch&) const {
      throw ValueError("the backbone must not run");
    }
  };
  Pipeline<Forbidden, CopyCoordinates> pipeline;
  pipeline.setting.image_size = 224;
  const auto geometry = [&](Size size) {
    ImageFeatures features{{}, pipeline.transform(size)};
    features.map = FeatureMap(features.transform.grid.rows, features.transform.grid.cols, 0);
    return features;
  };
  const auto result =
      pipeline.match(geometry({300, 200}), geometry({150, 400}), {{0, 0}, {120.25, 77.5}});
  CHECK(result.points[0].x == doctest::Approx(0.5 * 150 / 300 - 0.5));
  CHECK(result.points[1].x == doctest::Approx(120.75 * 150 / 300 - 0.5));
  CHECK(result.points[1].y == doctest::Approx(78.0 * 400 / 200 - 0.5));
  const auto from_pictures =
      pipeline.match(Image(300, 200), Image(150, 400), {{0, 0}, {120.25, 77.5}});
  CHECK(from_pictures.points == result.points);
}

TEST_CASE("a backbone without weights says so") {
  struct Unloaded {
    int patch_size() const { return 0; }
    std::vector<FeatureMap> operator()(const InputBatch&) const { return {}; }
  };
  const Pipeline<Unloaded> pipeline;
  CHECK_THROWS_WITH_AS(pipeline.transform({100, 100}),
                       "backbone: its patch size is 0; were its weights loaded?", SettingError);
}

TEST_CASE("a type-erased backbone gives the same answers") {
  const Image source = noise_picture(100, 90, 4), target = noise_picture(120, 80, 5);
  Pipeline<SyntheticBackbone, WindowSoftArgmax> direct;
  Pipeline<AnyBackbone, WindowSoftArgmax> erased(AnyBackbone(SyntheticBackbone{}));
  direct.setting.image_size = erased.setting.image_size = 128;
  const Points<ImageFrame> points{{10, 10}, {50, 60}};
  CHECK(direct.match(source, target, points).points == erased.match(source, target, points).points);
  CHECK_THROWS_AS(AnyBackbone{}.patch_size(), SettingError);
}

TEST_CASE("bad keypoints and sizes are typed errors") {
  Pipeline<SyntheticBackbone, SoftArgmax> pipeline;
  const Image picture = noise_picture(64, 64, 6);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(pipeline.match(picture, picture, Points<ImageFrame>{}), PointError);
  CHECK_THROWS_AS(pipeline.match(picture, picture, {{nan, 3}}), PointError);
  CHECK_THROWS_AS(pipeline.match(picture, picture, {{3, 65}}), PointError);
  CHECK_THROWS_AS(pipeline.match(picture, picture, {{-1, 3}}), PointError);
  pipeline.setting.image_size = 100;
  CHECK_THROWS_AS(pipeline.match(picture, picture, {{3, 3}}), SettingError);
}

TEST_CASE("keypoints can be checked before anything is loaded") {
  CHECK_NOTHROW(require_inside({{-0.5, 0}, {30, 20}}, {30, 20}));
  CHECK_THROWS_WITH_AS(require_inside({}, {30, 20}), "no keypoints were given", PointError);
  CHECK_THROWS_WITH_AS(require_inside({{1, 2}, {31, 4}}, {30, 20}),
                       "keypoint 1 (31, 4) is not inside its image of 30x20", PointError);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(require_inside({{nan, 2}}, {30, 20}), PointError);
}

TEST_CASE("a backbone whose answer has the wrong shape is caught") {
  struct Lying {
    int patch_size() const { return 16; }
    std::vector<FeatureMap> operator()(const InputBatch&) const { return {FeatureMap(2, 2, 4)}; }
  };
  Pipeline<Lying> pipeline;
  pipeline.setting.image_size = 64;
  const Image picture = noise_picture(64, 64, 7);
  CHECK_THROWS_AS(pipeline.match(picture, picture, {{3, 3}}), ShapeError);
}
