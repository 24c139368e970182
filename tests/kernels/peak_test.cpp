// SPDX-License-Identifier: Apache-2.0
#include "homolog/kernels/peak.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "support/random_features.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

SimilarityMap view(const FloatMatrix& map) { return map; }

}  // namespace

TEST_CASE("the peak is the first of the largest values, on maps full of ties") {
  std::mt19937 random(2);
  std::uniform_int_distribution<int> side(1, 9), level(-3, 3);
  for (int trial = 0; trial < 500; ++trial) {
    FloatMatrix map(side(random), side(random));
    for (float& value : map) value = static_cast<float>(level(random));
    // A stable sort of the row-major list, best first.
    std::vector<Eigen::Index> order(static_cast<std::size_t>(map.size()));
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Eigen::Index>(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return map.data()[a] > map.data()[b]; });
    const Peak peak = find_peak(view(map));
    CHECK(peak.row * map.cols() + peak.col == order.front());
    CHECK(peak.value == map.view().maxCoeff());
    CHECK(peak.cell() == Point<GridFrame>{static_cast<double>(order.front() % map.cols()),
                                          static_cast<double>(order.front() / map.cols())});
  }
}

TEST_CASE("NaN and infinities never win, wherever they stand") {
  for (Eigen::Index bad = 0; bad < 6; ++bad) {
    for (const float value : {not_a_number, infinity, -infinity}) {
      FloatMatrix map(2, 3, -5);
      map.data()[(bad + 2) % 6] = -4;
      map.data()[bad] = value;
      const Peak peak = find_peak(view(map));
      CHECK(peak.row * 3 + peak.col == (bad + 2) % 6);
      CHECK(peak.value == -4);
    }
  }
  FloatMatrix lowest(1, 3, not_a_number);
  lowest(0, 1) = std::numeric_limits<float>::lowest();
  CHECK(find_peak(view(lowest)).col == 1);
}

TEST_CASE("a map without a finite value admits no answer") {
  for (const float value : {not_a_number, infinity, -infinity}) {
    const FloatMatrix map(2, 3, value);
    CHECK_THROWS_WITH_AS(find_peak(view(map)), "similarity map [2, 3] holds no finite value",
                         ValueError);
  }
  CHECK_THROWS_AS(find_peak(SimilarityMap(nullptr, 0, 0)), ValueError);
}

TEST_CASE("the two largest values, and how far apart they are") {
  std::mt19937 random(9);
  std::uniform_int_distribution<int> few(0, 12);
  for (int repeat = 0; repeat < 200; ++repeat) {
    FloatMatrix map(1 + repeat % 5, 1 + repeat % 7);
    for (float& value : map) {
      const int drawn = few(random);
      value = drawn == 0   ? std::numeric_limits<float>::quiet_NaN()
              : drawn == 1 ? std::numeric_limits<float>::infinity()
                           : static_cast<float>(drawn);
    }
    map(0, 0) = 3;
    Eigen::Index first = -1, second = -1;
    for (Eigen::Index i = 0; i < map.size(); ++i) {
      const float value = map.data()[i];
      if (!std::isfinite(value)) continue;
      if (first < 0 || value > map.data()[first]) {
        second = first;
        first = i;
      } else if (second < 0 || value > map.data()[second]) {
        second = i;
      }
    }
    const TopTwo found = find_top_two(SimilarityMap(map.data(), map.rows(), map.cols()));
    CHECK(found.first.row * map.cols() + found.first.col == first);
    if (second < 0) {
      CHECK(std::isinf(found.margin()));
    } else {
      CHECK(found.second.value == map.data()[second]);
      CHECK(map(found.second.row, found.second.col) == found.second.value);
      CHECK(found.second.row * map.cols() + found.second.col != first);
      CHECK(found.margin() == map.data()[first] - map.data()[second]);
    }
  }
}
