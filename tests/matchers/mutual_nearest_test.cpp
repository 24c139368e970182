// SPDX-License-Identifier: Apache-2.0
#include "homolog/matchers/mutual_nearest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <random>
#include <vector>

#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "matchers/maps.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

template <class M>
std::vector<Match> run(const M& matcher, const FeatureMap& source, const FeatureMap& target,
                       const Points<GridFrame>& queries) {
  const FloatMatrix descriptors = sample_descriptors(source, queries, Query::nearest);
  return match_queries(matcher, MatchProblem{source, target, queries, view_of(descriptors)});
}

/// The most similar content cell by float64 dot products.
Point<GridFrame> best_cell(const Eigen::VectorXd& feature, const FeatureMap& map) {
  double best = -2;
  Point<GridFrame> place;
  for (int y = map.content.y1; y < map.content.y2; ++y) {
    for (int x = map.content.x1; x < map.content.x2; ++x) {
      const double similarity = map.cell(y, x).transpose().cast<double>().dot(feature);
      if (similarity > best) {
        best = similarity;
        place = {static_cast<double>(x), static_cast<double>(y)};
      }
    }
  }
  return place;
}

}  // namespace

TEST_CASE("in a shuffled copy of a map every match is mutual and in its place") {
  const FeatureMap source = random_unit_map(8, 9, 32, 1);
  FeatureMap target(6, 12, 32);
  std::vector<Eigen::Index> order(72);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(2));
  for (std::size_t i = 0; i < order.size(); ++i) {
    target.values.row(order[i]) = source.values.row(static_cast<Eigen::Index>(i));
  }
  MutualNearest<Argmax> matcher;
  matcher.setting.tolerance = 0;
  const auto matches = run(matcher, source, target, all_cells(source));
  for (std::size_t i = 0; i < order.size(); ++i) {
    CHECK(matches[i].mutual);
    CHECK(matches[i].cell ==
          Point<GridFrame>{static_cast<double>(order[i] % 12), static_cast<double>(order[i] / 12)});
  }
}

TEST_CASE("the answers are the base's, the flags those of the definition in float64") {
  MutualNearest<WindowSoftArgmax> matcher;
  matcher.base.setting.window_radius = 1;
  int yes = 0, no = 0;
  for (unsigned seed = 0; seed < 12; ++seed) {
    FeatureMap source = random_unit_map(9, 7, 3, seed),
               target = random_unit_map(6, 11, 3, seed + 100);
    if (seed % 2 == 1) {
      source.content = {1, 2, 6, 8};
      target.content = {0, 1, 11, 5};
    }
    matcher.setting.tolerance = seed % 3;
    const auto queries = all_cells(source);
    const auto matches = run(matcher, source, target, queries);
    const auto plain = run(matcher.base, source, target, queries);
    for (std::size_t i = 0; i < queries.size(); ++i) {
      CHECK(matches[i].cell == plain[i].cell);
      CHECK(matches[i].score == plain[i].score);
      const int x = static_cast<int>(std::lround(matches[i].cell.x));
      const int y = static_cast<int>(std::lround(matches[i].cell.y));
      const auto home = best_cell(target.cell(y, x).transpose().cast<double>(), source);
      const double away =
          std::max(std::abs(home.x - queries[i].x), std::abs(home.y - queries[i].y));
      CHECK(matches[i].mutual == (away <= matcher.setting.tolerance));
      ++(matches[i].mutual ? yes : no);
    }
  }
  CHECK(yes > 50);  // both outcomes were met
  CHECK(no > 50);
}

TEST_CASE("a query whose match prefers another cell is mutual only within the tolerance") {
  FeatureMap source(1, 6, 3), target(1, 1, 3);
  source.values.view().col(2).setOnes();
  source.cell(0, 1) << 1, 0, 0;
  source.cell(0, 4) << 0.8F, 0.6F, 0;
  target.cell(0, 0) << 1, 0, 0;
  MutualNearest<Argmax> matcher;
  CHECK(run(matcher, source, target, {{1, 0}})[0].mutual);
  CHECK(run(matcher, source, target, {{1.5, 0}, {0.6, 0.5}})[1].mutual);
  CHECK_FALSE(run(matcher, source, target, {{4, 0}})[0].mutual);
  matcher.setting.tolerance = 2.9;
  CHECK_FALSE(run(matcher, source, target, {{4, 0}})[0].mutual);
  matcher.setting.tolerance = 3;
  CHECK(run(matcher, source, target, {{4, 0}})[0].mutual);
}

TEST_CASE("an answer on a cell without a finite feature is not mutual, and no error") {
  const FeatureMap source = random_unit_map(3, 3, 8, 5);
  FeatureMap target = source;
  target.cell(1, 1).setConstant(not_a_number);
  MutualNearest<CopyCoordinates> matcher;  // answers with the query's own cell
  const auto matches = run(matcher, source, target, all_cells(source));
  for (std::size_t i = 0; i < matches.size(); ++i) CHECK(matches[i].mutual == (i != 4));
}

TEST_CASE("a base that says no is not overruled, and decorators stack") {
  struct Doubtful {
    Match operator()(const SimilarityMap& map) const { return {find_peak(map).cell(), 0, false}; }
  };
  const FeatureMap map = random_unit_map(4, 4, 16, 6);
  for (const Match& match : run(MutualNearest<Doubtful>{}, map, map, all_cells(map))) {
    CHECK_FALSE(match.mutual);
  }
  for (const Match& match : run(MutualNearest<MutualNearest<Argmax>>{}, map, map, all_cells(map))) {
    CHECK(match.mutual);
  }
}

TEST_CASE("bad tolerances and maps of different dimension are refused") {
  const FeatureMap map = random_unit_map(4, 4, 16, 7);
  MutualNearest<Argmax> matcher;
  for (const double bad : {-0.5, std::nan("")}) {
    matcher.setting.tolerance = bad;
    CHECK_THROWS_AS(run(matcher, map, map, {{0, 0}}), SettingError);
  }
  matcher.setting.tolerance = 1;
  CHECK_THROWS_AS(run(matcher, map, random_unit_map(4, 4, 15, 8), {{0, 0}}), ShapeError);
}
