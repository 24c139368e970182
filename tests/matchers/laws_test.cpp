// SPDX-License-Identifier: Apache-2.0
// Laws that every matcher of one similarity map keeps.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "homolog/core/concepts.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/mutual_nearest.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "matchers/maps.hpp"

using namespace homolog;
using namespace homolog::test;

static_assert(MapMatcher<Argmax> && !ProblemMatcher<Argmax>);
static_assert(ProblemMatcher<CopyCoordinates> && !MapMatcher<CopyCoordinates>);
static_assert(ProblemMatcher<MutualNearest<Argmax>>);
static_assert(Matcher<SoftArgmax> && Matcher<WindowSoftArgmax> && Matcher<KernelSoftArgmax> &&
              Matcher<CopyCoordinates> && Matcher<MutualNearest<CopyCoordinates>>);
static_assert(!Matcher<int> && !Matcher<CellRange>);
static_assert(needs_features<Argmax>() && !needs_features<CopyCoordinates>() &&
              needs_features<MutualNearest<CopyCoordinates>>());

namespace {

/// The second form of the window, as a type of its own.
struct MaskedWindow : WindowSoftArgmax {
  MaskedWindow() { setting.outside = Outside::masked_zero; }
};

template <class M>
M with_temperature(float temperature) {
  M matcher;
  matcher.setting.temperature = temperature;
  return matcher;
}

/// A 4x5 patch of random values on a 20x30 map of padding, its corner at (row, col).
FloatMatrix patch_at(Eigen::Index row, Eigen::Index col, unsigned seed, float outside) {
  FloatMatrix map(20, 30, outside);
  map.view().block(row, col, 4, 5) = random_similarity(4, 5, seed).view();
  return map;
}

}  // namespace

TEST_CASE_TEMPLATE("moving the map moves the answer", M, Argmax, SoftArgmax, WindowSoftArgmax,
                   MaskedWindow, KernelSoftArgmax) {
  const M matcher;
  for (unsigned seed = 0; seed < 20; ++seed) {
    const FloatMatrix here = patch_at(2, 3, seed, -infinity);
    const FloatMatrix there = patch_at(13, 21, seed, -infinity);
    const Match a = matcher(view(here)), b = matcher(view(there));
    check_near(b.cell, {a.cell.x + 18, a.cell.y + 11}, 1e-5);
    CHECK(a.score == b.score);
  }
}

TEST_CASE_TEMPLATE("transposing or mirroring the map does the same to the answer", M, Argmax,
                   SoftArgmax, WindowSoftArgmax, MaskedWindow, KernelSoftArgmax) {
  const M matcher;
  for (unsigned seed = 0; seed < 20; ++seed) {
    const FloatMatrix map = random_similarity(9, 14, seed);
    const FloatMatrix transposed = map.view().transpose(),
                      mirrored = map.view().rowwise().reverse();
    const Match match = matcher(view(map));
    check_near(matcher(view(transposed)).cell, {match.cell.y, match.cell.x}, 1e-5);
    check_near(matcher(view(mirrored)).cell, {13 - match.cell.x, match.cell.y}, 1e-5);
  }
}

TEST_CASE_TEMPLATE("NaN and infinities count like padding", M, Argmax, SoftArgmax, WindowSoftArgmax,
                   MaskedWindow, KernelSoftArgmax) {
  const M matcher;
  for (unsigned seed = 0; seed < 20; ++seed) {
    FloatMatrix padded = random_similarity(11, 12, seed);
    FloatMatrix bad = padded, larger = padded;
    spoil(padded, -infinity, 0.4, seed);
    spoil(bad, not_a_number, 0.4, seed);
    spoil(larger, infinity, 0.4, seed);
    const Match match = matcher(view(padded));
    CHECK(is_finite(match.cell));
    CHECK(matcher(view(bad)).cell == match.cell);
    CHECK(matcher(view(larger)).cell == match.cell);
    CHECK(matcher(view(bad)).score == match.score);
  }
}

TEST_CASE_TEMPLATE("the score is the similarity at the peak", M, Argmax, SoftArgmax,
                   WindowSoftArgmax, MaskedWindow, KernelSoftArgmax) {
  const FloatMatrix map = random_similarity(7, 8, 5);
  CHECK(M{}(view(map)).score == map.view().maxCoeff());
  CHECK(M{}(view(map)).mutual);
}

TEST_CASE_TEMPLATE("a map with one finite cell gives that cell, whatever its value", M, Argmax,
                   SoftArgmax, WindowSoftArgmax, MaskedWindow, KernelSoftArgmax) {
  const M matcher;
  for (const float value :
       {-1.0F, 0.0F, 1.0F, -1e30F, std::numeric_limits<float>::max(),
        std::numeric_limits<float>::lowest(), std::numeric_limits<float>::denorm_min()}) {
    FloatMatrix map(6, 7, -infinity);
    map(4, 5) = value;
    CAPTURE(value);
    CHECK(matcher(view(map)).cell == Point<GridFrame>{5, 4});
    CHECK(matcher(view(map)).score == value);
  }
}

TEST_CASE_TEMPLATE("a map without a finite value is an error", M, Argmax, SoftArgmax,
                   WindowSoftArgmax, MaskedWindow, KernelSoftArgmax) {
  const M matcher;
  for (const float value : {-infinity, infinity, not_a_number}) {
    const FloatMatrix map(3, 4, value);
    CHECK_THROWS_AS(matcher(view(map)), ValueError);
  }
  CHECK_THROWS_AS(matcher(SimilarityMap(nullptr, 0, 0)), ValueError);
}

TEST_CASE_TEMPLATE("values of any size give a finite answer inside the grid", M, SoftArgmax,
                   WindowSoftArgmax, MaskedWindow, KernelSoftArgmax) {
  const float largest = std::numeric_limits<float>::max();
  for (const float temperature : {1e-30F, 1.0F, 50.0F, 3e38F}) {
    const M matcher = with_temperature<M>(temperature);
    for (const float scale : {1.0F, 1e-40F, 1e30F, largest}) {
      for (const float offset : {0.0F, -1.5F}) {
        FloatMatrix map = random_similarity(6, 60, 3, -1, 1);
        map.view().array() += offset;  // with -1.5 every similarity is negative
        map = (map.view().array() / map.view().cwiseAbs().maxCoeff()) * scale;
        const Match match = matcher(view(map));
        CAPTURE(temperature);
        CAPTURE(scale);
        CHECK((match.cell.x >= 0 && match.cell.x <= 59));
        CHECK((match.cell.y >= 0 && match.cell.y <= 5));
      }
    }
  }
}

TEST_CASE_TEMPLATE("a soft matcher becomes the argmax as the temperature grows", M, SoftArgmax,
                   WindowSoftArgmax, MaskedWindow, KernelSoftArgmax) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const FloatMatrix map = random_similarity(12, 9, seed);
    const Point<GridFrame> peak = Argmax{}(view(map)).cell;
    check_near(with_temperature<M>(1e6F)(view(map)).cell, peak, 1e-3);
    // At the peak the logit's lead only grows, so the rest only loses weight.
    CHECK(distance(with_temperature<M>(3000)(view(map)).cell, peak) <=
          distance(with_temperature<M>(30)(view(map)).cell, peak) + 1e-6);
  }
}

TEST_CASE_TEMPLATE("a temperature that is not positive and finite is refused", M, SoftArgmax,
                   WindowSoftArgmax, MaskedWindow, KernelSoftArgmax) {
  const FloatMatrix map = random_similarity(3, 3, 1);
  for (const float bad : {0.0F, -1.0F, not_a_number, infinity, -infinity}) {
    CHECK_THROWS_AS(with_temperature<M>(bad)(view(map)), SettingError);
  }
  CHECK_THROWS_WITH_AS(with_temperature<SoftArgmax>(-2)(view(map)),
                       "SoftArgmax: temperature is -2, expected a positive finite number",
                       SettingError);
}

TEST_CASE_TEMPLATE("adding a constant changes nothing where the softmax sees raw similarities", M,
                   Argmax, SoftArgmax, WindowSoftArgmax) {
  const M matcher;
  for (unsigned seed = 0; seed < 20; ++seed) {
    const FloatMatrix map = random_similarity(10, 10, seed, -0.5F, 0.5F);
    for (const float constant : {-3.0F, 0.25F, 7.0F}) {
      const FloatMatrix shifted = map.view().array() + constant;
      check_near(matcher(view(shifted)).cell, matcher(view(map)).cell, 1e-3);
    }
  }
}

TEST_CASE("on a map of equal values argmax takes the first cell, soft-argmax the middle") {
  for (const float value : {-1.0F, 0.0F, 0.3F}) {
    const FloatMatrix map(7, 11, value);
    CHECK(Argmax{}(view(map)).cell == Point<GridFrame>{0, 0});
    CHECK(SoftArgmax{}(view(map)).cell == Point<GridFrame>{5, 3});
    // The window around (0, 0) is cropped to columns and rows 0 to 2.
    CHECK(WindowSoftArgmax{}(view(map)).cell == Point<GridFrame>{1, 1});
  }
  FloatMatrix two(5, 5);
  two(3, 1) = two(3, 4) = two(4, 0) = 1;
  CHECK(Argmax{}(view(two)).cell == Point<GridFrame>{1, 3});
}
