// SPDX-License-Identifier: Apache-2.0
#include "homolog/match.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "homolog/backbones/synthetic.hpp"
#include "homolog/images/resize.hpp"
#include "homolog/match_dense.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/mutual_nearest.hpp"
#include "homolog/matchers/upsampled_argmax.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "pipeline/pictures.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

bool equal(const MatchResult& a, const MatchResult& b) {
  return std::ranges::equal(a.points.list, b.points.list) && a.scores == b.scores &&
         a.mutual == b.mutual;
}

}  // namespace

TEST_CASE("match() of pictures is what a pipeline of the same policies answers") {
  const Image source = noise_picture(200, 160, 1), target = noise_picture(170, 190, 2);
  const Points<ImageFrame> points{{20, 30}, {101.5, 80.25}, {180, 140}};
  const SyntheticBackbone backbone;
  CHECK(equal(match(backbone, source, target, points),
              Pipeline<SyntheticBackbone, WindowSoftArgmax>{}.match(source, target, points)));
  PipelineSetting setting{Resize::letterbox, 256};
  setting.query = Query::bilinear;
  Pipeline<SyntheticBackbone, MutualNearest<Argmax>> pipeline;
  pipeline.setting = setting;
  const auto expected = pipeline.match(source, target, points);
  CHECK(equal(match(backbone, source, target, points, MutualNearest<Argmax>{}, setting), expected));
  const auto from = image_features(backbone, source, setting);
  const auto to = image_features(backbone, target, setting);
  CHECK(equal(match(from, to, points, MutualNearest<Argmax>{}, setting), expected));
  CHECK(equal(match(backbone, source, target, points, CopyCoordinates{}),
              Pipeline<SyntheticBackbone, CopyCoordinates>{}.match(source, target, points)));
}

TEST_CASE("a camera's frame is matched where it lies, as its copy is") {
  const Image source = noise_picture(120, 90, 3), target = noise_picture(100, 130, 4);
  std::vector<std::uint8_t> frame(static_cast<std::size_t>(120 * 4 + 20) * 90, 77);  // BGRA, padded
  for (int y = 0; y < 90; ++y) {
    for (int x = 0; x < 120; ++x) {
      for (int c = 0; c < 3; ++c) {
        frame[static_cast<std::size_t>(y * (120 * 4 + 20) + 4 * x + 2 - c)] = source.at(x, y)[c];
      }
    }
  }
  const ImageView view(frame.data(), {120, 90}, PixelFormat::bgra, 120 * 4 + 20);
  const Points<ImageFrame> points{{20, 30}, {101.5, 80.25}};
  const SyntheticBackbone backbone;
  CHECK(equal(match(backbone, view, target, points), match(backbone, source, target, points)));
}

TEST_CASE("keypoints that cannot be matched are refused before the backbone runs") {
  const Image picture = noise_picture(64, 64, 5);
  const SyntheticBackbone backbone;
  CHECK_THROWS_AS(match(backbone, picture, picture, {}), PointError);
  CHECK_THROWS_AS(match(backbone, picture, picture, {{3, std::nan("")}}), PointError);
  CHECK_THROWS_AS(match(backbone, picture, picture, {{70, 3}}), PointError);
}

TEST_CASE("match_dense() of cells answers as match() of their centres does") {
  const Image source = noise_picture(200, 120, 6), target = noise_picture(170, 190, 7);
  const SyntheticBackbone backbone;
  for (const Resize resize : {Resize::squash, Resize::letterbox, Resize::native}) {
    const PipelineSetting setting{resize, 128};
    const auto from = image_features(backbone, source, setting);
    const auto to = image_features(backbone, target, setting);
    const DenseMatches found = match_dense(from, to, {}, Argmax{}, setting);
    const CellRange& shown = from.map.content;
    CHECK(found.rows == shown.y2 - shown.y1);
    CHECK(found.cols == shown.x2 - shown.x1);
    REQUIRE(found.source.size() == static_cast<std::size_t>(found.rows * found.cols));
    CHECK(equal(found.target, match(from, to, found.source, Argmax{}, setting)));
    const auto last = from.transform.to_grid(found.source[found.source.size() - 1]);
    if (resize != Resize::letterbox) {
      CHECK(last.x == doctest::Approx(shown.x2 - 1));
      CHECK(last.y == doctest::Approx(shown.y2 - 1));
    }
  }
}

TEST_CASE("match_dense() of pixels answers as match() of each does, block by block") {
  const Image source = noise_picture(131, 103, 8), target = noise_picture(120, 110, 9);
  const SyntheticBackbone backbone;
  PipelineSetting setting{Resize::squash, 96};
  setting.query = Query::bilinear;
  for (const int step : {1, 4, 50, 1000, std::numeric_limits<int>::max()}) {
    const DenseMatches found =
        match_dense(backbone, source, target, {step}, WindowSoftArgmax{}, setting);
    CHECK(found.rows == 102 / step + 1);
    CHECK(found.cols == 130 / step + 1);
    REQUIRE(found.source.size() == static_cast<std::size_t>(found.rows * found.cols));
    CHECK(found.source[found.source.size() - 1].x == (found.cols - 1) * step);
    CHECK(found.source[found.source.size() - 1].y == (found.rows - 1) * step);
    CHECK(equal(found.target,
                match(backbone, source, target, found.source, WindowSoftArgmax{}, setting)));
  }
  CHECK_THROWS_WITH_AS(match_dense(backbone, source, target, {-1}),
                       "match_dense: step is -1, expected at least 0 pixels", SettingError);
}

TEST_CASE("margins come where they are asked for, and are those of the similarity maps") {
  const Image source = noise_picture(131, 103, 8), target = noise_picture(120, 110, 9);
  const SyntheticBackbone backbone;
  PipelineSetting setting{Resize::squash, 96};
  const auto from = image_features(backbone, source, setting);
  const auto to = image_features(backbone, target, setting);
  const Points<ImageFrame> points{{20, 30}, {101.5, 80.25}, {60, 60}};
  CHECK(match(from, to, points, Argmax{}, setting).margins.empty());
  setting.margin = true;
  const auto result = match(from, to, points, Argmax{}, setting);
  const FloatMatrix read =
      sample_descriptors(from.map, from.transform.to_grid(points), setting.query);
  FloatMatrix similarity;
  similarity_rows(read, to.map, similarity);
  REQUIRE(result.margins.size() == points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    const SimilarityMap map(similarity.row(row).data(), to.map.rows, to.map.cols);
    CHECK(result.margins[i] == find_top_two(map).margin());
    CHECK(result.scores[i] == find_peak(map).value);
  }
  CHECK(match_dense(from, to, {}, Argmax{}, setting).target.margins.size() == 36);
  CHECK_THROWS_AS(match(backbone, source, target, points, CopyCoordinates{}, setting),
                  SettingError);
}

TEST_CASE("what is made of a target once serves each problem with it") {
  const SyntheticBackbone backbone;
  const PipelineSetting setting{Resize::squash, 96};
  const auto to = image_features(backbone, noise_picture(120, 110, 9), setting);
  TargetMade made;
  for (unsigned seed = 10; seed < 13; ++seed) {
    const auto from = image_features(backbone, noise_picture(100, 100, seed), setting);
    const Points<GridFrame> cells{{1, 2}, {3.25, 4}};
    const FloatMatrix read = sample_descriptors(from.map, cells, Query::nearest);
    const MatchProblem alone{from.map, to.map, cells, read};
    const MatchProblem shared{from.map, to.map, cells, read, &made};
    for (const int factor : {14, 5}) {
      const MutualNearest<UpsampledArgmax> matcher{{}, {{factor}}};
      const auto a = match_queries(matcher, alone), b = match_queries(matcher, shared, {3});
      REQUIRE(made.norms);
      CHECK(made.norms->size == Size{to.map.cols * factor, to.map.rows * factor});
      for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(a[i].cell == b[i].cell);
        CHECK(a[i].mutual == b[i].mutual);
      }
    }
  }
}

namespace {

/// A backbone that no one may run.
struct Untouchable : SyntheticBackbone {
  std::vector<FeatureMap> operator()(const InputBatch&) const { throw Error("it was run"); }
};

/// Answers its second block of points, and those behind it, with no number.
struct LostLater {
  static constexpr bool needs_features = false;
  std::vector<Match> match(const MatchProblem& problem) const {
    std::vector<Match> matches(problem.queries.size());
    if (problem.queries[0].y > 1) matches[7].cell.x = std::nan("");
    return matches;
  }
};

}  // namespace

TEST_CASE("a matcher that reads no features runs no backbone, and errors name the point") {
  const Image source = noise_picture(131, 103, 8), target = noise_picture(120, 110, 9);
  CHECK_NOTHROW(match(Untouchable{}, source, target, {{3, 3}}, CopyCoordinates{}));
  CHECK(match_dense(Untouchable{}, source, target, {}, CopyCoordinates{}).rows > 0);
  CHECK_THROWS_WITH_AS(
      match_dense(Untouchable{}, source, target, {1}, LostLater{}),
      doctest::Contains(
          "in the block of points that begins at 8192: matcher: its answer to query 7"),
      ValueError);
  CHECK_THROWS_WITH_AS(match(Untouchable{}, source, Image{}, {{3, 3}}),
                       doctest::Contains("match: target: expected a picture"), ShapeError);
  CHECK_THROWS_WITH_AS(match_dense(Untouchable{}, Image{}, target),
                       doctest::Contains("match_dense: source: expected a picture"), ShapeError);
}
