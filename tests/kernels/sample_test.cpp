// SPDX-License-Identifier: Apache-2.0
#include "homolog/kernels/sample.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "support/random_features.hpp"

using namespace homolog;
using namespace homolog::test;

TEST_CASE("nearest reads the cell that contains the point, half way goes up") {
  const FeatureMap map = random_unit_map(5, 7, 4, 1);
  const struct {
    Point<GridFrame> point;
    int row, col;
  } expected[] = {{{0, 0}, 0, 0},       {{2.4, 3.4}, 3, 2},   {{2.6, 3.6}, 4, 3},
                  {{2.5, 0.5}, 1, 3},   {{-0.5, -0.5}, 0, 0}, {{-9, 2}, 2, 0},
                  {{6.49, 4.49}, 4, 6}, {{6.5, 4.5}, 4, 6},   {{1e300, -1e300}, 0, 6}};
  for (const auto& [point, row, col] : expected) {
    const FloatMatrix read = sample_descriptors(map, {point}, Query::nearest);
    REQUIRE(read.rows() == 1);
    CHECK(read.row(0) == map.cell(row, col));
  }
}

TEST_CASE("both ways of reading agree at every cell centre") {
  const FeatureMap map = random_unit_map(4, 6, 9, 2);
  for (int row = 0; row < map.rows; ++row) {
    for (int col = 0; col < map.cols; ++col) {
      const Points<GridFrame> point{{static_cast<double>(col), static_cast<double>(row)}};
      CHECK(sample_descriptors(map, point, Query::nearest).row(0) == map.cell(row, col));
      CHECK(sample_descriptors(map, point, Query::bilinear).row(0).isApprox(map.cell(row, col)));
    }
  }
}

TEST_CASE("bilinear equals the tent-weighted sum over all cells, normalised") {
  const FeatureMap map = random_unit_map(5, 4, 6, 3);
  std::mt19937 random(4);
  std::uniform_real_distribution<double> place(-2, 7);
  for (int trial = 0; trial < 200; ++trial) {
    const Point<GridFrame> point{place(random), place(random)};
    const double x = std::clamp(point.x, 0.0, 3.0), y = std::clamp(point.y, 0.0, 4.0);
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(6);
    for (int row = 0; row < 5; ++row) {
      for (int col = 0; col < 4; ++col) {
        const double weight =
            std::max(0.0, 1 - std::abs(x - col)) * std::max(0.0, 1 - std::abs(y - row));
        sum += weight * map.cell(row, col).transpose().cast<double>();
      }
    }
    sum.normalize();
    const FloatMatrix read = sample_descriptors(map, {point}, Query::bilinear);
    CHECK((read.row(0).transpose().cast<double>() - sum).norm() < 1e-5);
  }
}

TEST_CASE("padding is never read, and a NaN neighbour of weight zero does no harm") {
  FeatureMap map = random_unit_map(6, 6, 3, 5);
  map.content = {1, 2, 5, 4};
  for (int row = 0; row < 6; ++row) {
    for (int col = 0; col < 6; ++col) {
      if (!map.content.contains(col, row)) {
        map.cell(row, col).setConstant(std::numeric_limits<float>::quiet_NaN());
      }
    }
  }
  Points<GridFrame> everywhere;
  for (double x = -1; x <= 7; x += 0.25) {
    for (double y = -1; y <= 7; y += 0.25) everywhere.push_back({x, y});
  }
  CHECK(sample_descriptors(map, everywhere, Query::nearest).view().allFinite());
  CHECK(sample_descriptors(map, everywhere, Query::bilinear).view().allFinite());
  CHECK(sample_descriptors(map, {{0, 0}}, Query::nearest).row(0) == map.cell(2, 1));
  CHECK(sample_descriptors(map, {{9, 9}}, Query::bilinear).row(0).isApprox(map.cell(3, 4)));
  map.cell(2, 2).setConstant(std::numeric_limits<float>::quiet_NaN());
  CHECK(sample_descriptors(map, {{1, 2}}, Query::bilinear).row(0).isApprox(map.cell(2, 1)));
  CHECK_FALSE(sample_descriptors(map, {{1.01, 2}}, Query::bilinear).view().allFinite());
}

TEST_CASE("bad points and contradicting maps are typed errors") {
  FeatureMap map = random_unit_map(3, 3, 2, 6);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Query query : {Query::nearest, Query::bilinear}) {
    CHECK_THROWS_AS(sample_descriptors(map, {{0, 0}, {nan, 0}}, query), PointError);
    CHECK_THROWS_AS(sample_descriptors(map, {{0, -INFINITY}}, query), PointError);
    CHECK(sample_descriptors(map, {}, query).rows() == 0);
  }
  for (const CellRange content : {CellRange{}, CellRange{0, 0, 4, 3}, CellRange{-1, 0, 3, 3},
                                  CellRange{2, 0, 2, 3}, CellRange{0, 0, 3, 4}}) {
    map.content = content;
    CHECK_THROWS_AS(sample_descriptors(map, {{0, 0}}, Query::nearest), ShapeError);
  }
  map = FeatureMap(3, 3, 2);
  map.rows = 4;
  CHECK_THROWS_WITH_AS(sample_descriptors(map, {{0, 0}}, Query::nearest),
                       "sample_descriptors: feature map has 9 descriptors for 4 rows and 3 columns",
                       ShapeError);
}
