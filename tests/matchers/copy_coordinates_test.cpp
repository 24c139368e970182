// SPDX-License-Identifier: Apache-2.0
#include "homolog/matchers/copy_coordinates.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "homolog/core/transforms.hpp"
#include "homolog/matchers/match_queries.hpp"

using namespace homolog;

namespace {

FeatureMap grid(int rows, int cols) { return {rows, cols, 0}; }

Points<GridFrame> copy(const FeatureMap& source, const FeatureMap& target,
                       const Points<GridFrame>& queries) {
  Points<GridFrame> answers;
  for (const Match& match : match_queries(
           CopyCoordinates{}, MatchProblem{source, target, queries, MatrixView(nullptr, 0, 0)})) {
    CHECK(match.score == 0);
    answers.push_back(match.cell);
  }
  return answers;
}

}  // namespace

TEST_CASE("edges go onto edges and the centre onto the centre, without features") {
  FeatureMap source = grid(16, 8), target = grid(10, 30);
  source.content = {1, 4, 7, 12};
  target.content = {0, 2, 30, 9};
  const auto answers = copy(source, target, {{0.5, 3.5}, {6.5, 11.5}, {3.5, 7.5}});
  CHECK(answers[0] == Point<GridFrame>{-0.5, 1.5});
  CHECK(answers[1] == Point<GridFrame>{29.5, 8.5});
  CHECK(answers[2] == Point<GridFrame>{14.5, 5});
}

TEST_CASE("there and back again is the identity, also for points outside") {
  FeatureMap source = grid(7, 9);
  source.content = {2, 1, 9, 6};
  const FeatureMap target = grid(31, 5);
  std::mt19937 random(3);
  std::uniform_real_distribution<double> place(-3, 12);
  for (int trial = 0; trial < 100; ++trial) {
    const Point<GridFrame> query{place(random), place(random)};
    const auto back = copy(target, source, copy(source, target, {query}));
    CHECK(distance(back[0], query) < 1e-12);
    // Half a cell is added and taken away, which rounds a coordinate near 0.
    CHECK(distance(copy(target, target, {query})[0], query) < 1e-14);
  }
}

TEST_CASE("with squash and native it copies relative pixel coordinates, half-pixel exact") {
  for (const Resize resize : {Resize::squash, Resize::native}) {
    const auto frames = [&](Size size) {
      const auto image = make_image_transform(size, resize, 224, 14);
      return FrameTransform{image, make_grid_transform(image.input, 14)};
    };
    const auto from = frames({640, 427}), to = frames({231, 500});
    const Point<ImageFrame> query{123.25, 400};
    const auto answer = copy(grid(from.grid.rows, from.grid.cols), grid(to.grid.rows, to.grid.cols),
                             {from.to_grid(query)});
    const auto pixel = to.to_image(answer[0]);
    CHECK(pixel.x == doctest::Approx((query.x + 0.5) * 231 / 640 - 0.5).epsilon(1e-12));
    CHECK(pixel.y == doctest::Approx((query.y + 0.5) * 500 / 427 - 0.5).epsilon(1e-12));
  }
}

TEST_CASE("grids without content and queries that are not finite are typed errors") {
  FeatureMap empty = grid(4, 4);
  empty.content = {2, 2, 2, 3};
  CHECK_THROWS_WITH_AS(copy(empty, grid(4, 4), {{0, 0}}),
                       doctest::Contains("CopyCoordinates: source: content cells [2, 2)"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(copy(grid(4, 4), empty, {{0, 0}}), doctest::Contains("target"), ShapeError);
  CHECK_THROWS_WITH_AS(copy(grid(4, 4), grid(4, 4), {{0, 0}, {0, std::nan("")}}),
                       doctest::Contains("query 1 "), PointError);
}
