// SPDX-License-Identifier: Apache-2.0
#include "homolog/metrics/pck.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace homolog;

static_assert(Metric<PckPerPoint> && Metric<PckPerImage> && !Metric<int>);

namespace {

std::vector<PairErrors> random_pairs(std::size_t count, std::size_t least, std::size_t most,
                                     unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::size_t> points(least, most);
  std::uniform_real_distribution<double> error(0, 100), scale(50, 400);
  std::vector<PairErrors> pairs(count);
  for (PairErrors& pair : pairs) {
    pair.threshold_scale = scale(random);
    pair.distances.resize(points(random));
    for (double& distance : pair.distances) distance = error(random);
  }
  return pairs;
}

}  // namespace

TEST_CASE("two pairs by hand: the aggregations weight them differently") {
  // Thresholds at 0.1: 10 px and 20 px. Correct: 1 of 1, and 1 of 4.
  const std::vector<PairErrors> pairs{{{9.5}, 100}, {{20, 20.001, 55, 300}, 200}};
  CHECK(PckPerPoint{}(pairs, 0.1) == 2.0 / 5);
  CHECK(PckPerImage{}(pairs, 0.1) == (1.0 + 0.25) / 2);
  CHECK(PckPerPoint{}(pairs, 0.5) == 4.0 / 5);
  CHECK(PckPerImage{}(pairs, 0.5) == (1.0 + 0.75) / 2);
  CHECK(PckPerPoint{}(pairs, 0.01) == 0);
  CHECK(PckPerImage{}(pairs, 0.01) == 0);
}

TEST_CASE("with equal numbers of keypoints the aggregations are equal") {
  const auto pairs = random_pairs(90, 10, 10, 1);
  for (const double alpha : {0.05, 0.1, 0.2, 0.4}) {
    CHECK(PckPerPoint{}(pairs, alpha) ==
          doctest::Approx(PckPerImage{}(pairs, alpha)).epsilon(1e-12));
  }
}

TEST_CASE("PCK is a fraction, grows with alpha, and does not depend on order") {
  auto pairs = random_pairs(50, 1, 16, 2);
  auto reversed = pairs;
  std::reverse(reversed.begin(), reversed.end());
  for (PairErrors& pair : reversed) std::reverse(pair.distances.begin(), pair.distances.end());
  double last_point = 0, last_image = 0;
  for (double alpha = 0.01; alpha < 2.5; alpha += 0.01) {
    const double point = PckPerPoint{}(pairs, alpha), image = PckPerImage{}(pairs, alpha);
    CHECK((point >= last_point && point <= 1));
    CHECK((image >= last_image && image <= 1));
    CHECK(PckPerPoint{}(reversed, alpha) == point);
    CHECK(PckPerImage{}(reversed, alpha) == doctest::Approx(image).epsilon(1e-12));
    last_point = point;
    last_image = image;
  }
  CHECK(last_point == 1);  // every error is below 100 = 2 * the smallest scale
  CHECK(last_image == doctest::Approx(1).epsilon(1e-12));
}

TEST_CASE("a distance equal to the threshold is correct, the next larger number is not") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double alpha : {0.05, 0.1, 0.2}) {
    for (const double scale : {1.0, 30.0, 469.0}) {
      const double threshold = alpha * scale;
      CHECK(is_correct(threshold, alpha, scale));
      CHECK(is_correct(0, alpha, scale));
      CHECK_FALSE(is_correct(std::nextafter(threshold, infinity), alpha, scale));
      CHECK_FALSE(is_correct(std::nan(""), alpha, scale));
      CHECK_FALSE(is_correct(infinity, alpha, scale));
      CHECK_FALSE(is_correct(infinity, 1e308, scale));
      CHECK_FALSE(is_correct(-1, alpha, scale));
    }
  }
}

TEST_CASE("scaling picture and errors together changes nothing") {
  const auto pairs = random_pairs(30, 1, 9, 3);
  auto doubled = pairs;
  for (PairErrors& pair : doubled) {
    pair.threshold_scale *= 2;
    for (double& distance : pair.distances) distance *= 2;
  }
  CHECK(PckPerPoint{}(pairs, 0.1) == PckPerPoint{}(doubled, 0.1));
  CHECK(PckPerImage{}(pairs, 0.1) == PckPerImage{}(doubled, 0.1));
}

TEST_CASE("a NaN distance counts as a wrong keypoint, not as none") {
  const std::vector<PairErrors> pairs{{{1, std::nan("")}, 100}};
  CHECK(PckPerPoint{}(pairs, 0.1) == 0.5);
  CHECK(PckPerImage{}(pairs, 0.1) == 0.5);
}

TEST_CASE("nothing to average is an error, never zero or NaN") {
  const std::vector<PairErrors> none, without_points{{{}, 100}};
  const std::vector<PairErrors> some{{{1}, 100}, {{}, 100}};
  CHECK_THROWS_AS(PckPerPoint{}(none, 0.1), ValueError);
  CHECK_THROWS_AS(PckPerImage{}(none, 0.1), ValueError);
  CHECK_THROWS_AS(PckPerPoint{}(without_points, 0.1), ValueError);
  CHECK_THROWS_AS(PckPerImage{}(without_points, 0.1), ValueError);
  CHECK(PckPerPoint{}(some, 0.1) == 1);
  CHECK_THROWS_WITH_AS(PckPerImage{}(some, 0.1), "PCK per image: pair 1 has no keypoint",
                       ValueError);
}

TEST_CASE("thresholds that are no lengths are refused") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {0.0, -3.0, std::nan(""), infinity}) {
    const std::vector<PairErrors> pairs{{{1}, 100}, {{1}, bad}};
    CHECK_THROWS_WITH_AS(PckPerPoint{}(pairs, 0.1), doctest::Contains("pair 1 "), ValueError);
    CHECK_THROWS_WITH_AS(PckPerImage{}(pairs, 0.1), doctest::Contains("pair 1 "), ValueError);
    CHECK_THROWS_AS(PckPerPoint{}(random_pairs(2, 1, 2, 1), bad), SettingError);
    CHECK_THROWS_AS(PckPerImage{}(random_pairs(2, 1, 2, 1), bad), SettingError);
  }
}
