// SPDX-License-Identifier: Apache-2.0
// The soft matchers against their definitions, written out in float64.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "matchers/maps.hpp"

using namespace homolog;
using namespace homolog::test;
using Outside = WindowSoftArgmax::Outside;

namespace {

/// Random maps with and without padding and NaN, of cosines around 0, far above and far below.
template <class Check>
void on_many_maps(Check&& check) {
  for (unsigned seed = 0; seed < 120; ++seed) {
    const std::array<float, 3> centre{0, 0.6F, -0.6F};
    const float middle = centre[seed % 3];
    FloatMatrix map =
        random_similarity(1 + static_cast<int>(seed * 7 % 15), 1 + static_cast<int>(seed * 5 % 19),
                          seed, middle - 0.4F, middle + 0.4F);
    if (seed % 2 == 1) spoil(map, -infinity, 0.3, seed);
    if (seed % 4 >= 2) spoil(map, not_a_number, 0.1, seed + 1000);
    CAPTURE(seed);
    check(map);
  }
}

/// Softmax over all finite cells of logit(x, y, similarity).
template <class Logit>
Point<GridFrame> reference(const FloatMatrix& map, Logit&& logit) {
  ReferenceSoftmax softmax;
  for (Eigen::Index i = map.size() - 1; i >= 0; --i) {
    const auto x = i % map.cols(), y = i / map.cols();
    if (!std::isfinite(map.data()[i])) continue;
    const double value = logit(x, y, static_cast<double>(map.data()[i]));
    if (std::isfinite(value)) {
      softmax.entries.push_back({static_cast<double>(x), static_cast<double>(y), value});
    }
  }
  return softmax.mean();
}

}  // namespace

TEST_CASE("soft-argmax is the expectation of equations 6 and 7") {
  for (const float temperature : {0.5F, 10.0F, 50.0F}) {
    SoftArgmax matcher;
    matcher.setting.temperature = temperature;
    on_many_maps([&](const FloatMatrix& map) {
      check_near(matcher(view(map)).cell, reference(map, [&](auto, auto, double similarity) {
                   return static_cast<double>(temperature) * similarity;
                 }));
    });
  }
}

TEST_CASE("soft-argmax of two cells, by hand") {
  FloatMatrix map(1, 4);
  map.view() << 0.1F, -infinity, -infinity, 0.3F;
  SoftArgmax matcher;
  matcher.setting.temperature = 5;
  // softmax(0.5, 1.5) = 1/(1+e), e/(1+e)
  CHECK(matcher(view(map)).cell.x == doctest::Approx(3 * std::exp(1.0) / (1 + std::exp(1.0))));
  CHECK(matcher(view(map)).cell.y == 0);
}

TEST_CASE("window soft-argmax is the expectation of equations 9 to 12") {
  for (const int radius : {0, 1, 2, 5, 1000, std::numeric_limits<int>::max()}) {
    WindowSoftArgmax matcher;
    matcher.setting.window_radius = radius;
    on_many_maps([&](const FloatMatrix& map) {
      const auto peak = reference_argmax(map);
      const auto px = peak % map.cols(), py = peak / map.cols();
      const Match match = matcher(view(map));
      check_near(match.cell, reference(map, [&](auto x, auto y, double similarity) {
                   return std::max(std::abs(x - px), std::abs(y - py)) <= radius
                              ? 10 * similarity
                              : -std::numeric_limits<double>::infinity();
                 }));
      CHECK(std::abs(match.cell.x - static_cast<double>(px)) <= radius);
      CHECK(std::abs(match.cell.y - static_cast<double>(py)) <= radius);
    });
  }
}

TEST_CASE("a window of radius 0 is the argmax, one over the whole map is soft-argmax") {
  WindowSoftArgmax none, all;
  none.setting.window_radius = 0;
  all.setting.window_radius = 99;
  SoftArgmax soft;
  soft.setting.temperature = all.setting.temperature;
  on_many_maps([&](const FloatMatrix& map) {
    CHECK(none(view(map)).cell == Argmax{}(view(map)).cell);
    check_near(all(view(map)).cell, soft(view(map)).cell, 1e-5);  // float32 sums in the latter
  });
}

TEST_CASE("values outside the window do not matter, unless they are masked to zero") {
  FloatMatrix map = random_similarity(20, 20, 1, 0, 0.5F);
  map(8, 9) = 0.9F;
  FloatMatrix other = random_similarity(20, 20, 2, 0, 0.5F);
  other.view().block(6, 7, 5, 5) = map.view().block(6, 7, 5, 5);
  for (const Outside outside : {Outside::excluded, Outside::masked_zero}) {
    WindowSoftArgmax matcher;
    matcher.setting.outside = outside;
    CHECK(matcher(view(map)).cell == matcher(view(other)).cell);
  }
  WindowSoftArgmax masked;
  masked.setting.outside = Outside::masked_zero;
  CHECK(distance(masked(view(map)).cell, WindowSoftArgmax{}(view(map)).cell) > 0.01);
}

TEST_CASE("masked to zero is a softmax over the map times a 0/1 mask") {
  for (const float temperature : {1.0F, 10.0F, 50.0F}) {
    for (const int radius : {0, 2, 7, 40}) {
      WindowSoftArgmax matcher;
      matcher.setting = {radius, temperature, Outside::masked_zero};
      on_many_maps([&](const FloatMatrix& map) {
        const auto peak = reference_argmax(map);
        const auto px = peak % map.cols(), py = peak / map.cols();
        check_near(matcher(view(map)).cell, reference(map, [&](auto x, auto y, double similarity) {
                     const bool inside = std::max(std::abs(x - px), std::abs(y - py)) <= radius;
                     return static_cast<double>(temperature) * similarity * (inside ? 1 : 0);
                   }));
      });
    }
  }
}

TEST_CASE("masked to zero equals the true window for a strong peak and not for a weak one") {
  WindowSoftArgmax masked, window;
  masked.setting = {7, 50, Outside::masked_zero};
  window.setting = {7, 50, Outside::excluded};
  FloatMatrix strong = random_similarity(60, 60, 3, -0.2F, 0.2F);
  strong(10, 12) = 0.8F;
  CHECK(distance(masked(view(strong)).cell, window(view(strong)).cell) < 1e-6);
  const FloatMatrix weak = strong.view().array() - 0.75F;  // the peak is 0.05
  CHECK(distance(masked(view(weak)).cell, window(view(weak)).cell) > 5);
}

TEST_CASE("kernel soft-argmax damps by a Gaussian around the peak") {
  for (const float sigma : {0.5F, 2.0F, 7.0F, 1e4F}) {
    KernelSoftArgmax matcher;
    matcher.setting.sigma = sigma;
    on_many_maps([&](const FloatMatrix& map) {
      const auto peak = reference_argmax(map);
      const auto px = peak % map.cols(), py = peak / map.cols();
      check_near(
          matcher(view(map)).cell,
          reference(map,
                    [&](auto x, auto y, double similarity) {
                      const auto squared =
                          static_cast<double>((x - px) * (x - px) + (y - py) * (y - py));
                      return 25 * similarity *
                             std::exp(-squared / (2 * std::pow(static_cast<double>(sigma), 2)));
                    }),
          2e-4);
    });
  }
}

TEST_CASE("kernel soft-argmax with a very wide Gaussian is soft-argmax") {
  KernelSoftArgmax kernel;
  kernel.setting.sigma = 1e9F;
  SoftArgmax soft;
  soft.setting.temperature = kernel.setting.temperature;
  on_many_maps([&](const FloatMatrix& map) {
    check_near(kernel(view(map)).cell, soft(view(map)).cell, 1e-6);
  });
}

TEST_CASE("settings out of range are refused") {
  const FloatMatrix map = random_similarity(3, 3, 1);
  WindowSoftArgmax window;
  window.setting.window_radius = -1;
  CHECK_THROWS_WITH_AS(window(view(map)),
                       "WindowSoftArgmax: window_radius is -1, expected at least 0", SettingError);
  for (const float sigma : {0.0F, -7.0F, not_a_number, infinity}) {
    KernelSoftArgmax kernel;
    kernel.setting.sigma = sigma;
    CHECK_THROWS_AS(kernel(view(map)), SettingError);
  }
}

TEST_CASE("between cells: which temperatures of a 5x5 window find the middle of a bump") {
  // Peaks of all sub-cell positions; mean error in cells, of argmax and at each divisor T = 1/tau.
  const auto mean_error = [](const auto& matcher) {
    double sum = 0;
    int count = 0;
    for (double dx = -0.45; dx <= 0.46; dx += 0.1) {
      for (double dy = -0.45; dy <= 0.46; dy += 0.1) {
        FloatMatrix map(21, 21);
        for (int y = 0; y < 21; ++y) {
          for (int x = 0; x < 21; ++x) {
            const double squared = std::pow(x - 10 - dx, 2) + std::pow(y - 10 - dy, 2);
            map(y, x) = static_cast<float>(std::exp(-squared / (2 * 3.3 * 3.3)));
          }
        }
        sum += distance(matcher(view(map)).cell, {10 + dx, 10 + dy});
        ++count;
      }
    }
    return sum / count;
  };
  const auto window_error = [&](double divisor) {
    WindowSoftArgmax matcher;
    matcher.setting.temperature = static_cast<float>(1 / divisor);
    return mean_error(matcher);
  };
  const double hard = mean_error(Argmax{}), one = window_error(1), tenth = window_error(0.1);
  const double best = window_error(0.03), sharp = window_error(0.01);
  CHECK(hard == doctest::Approx(0.38).epsilon(0.03));  // mean distance within a unit square
  CHECK(one > 0.8 * hard);                             // nearly no better than argmax
  CHECK(one < hard);
  CHECK(tenth < one / 2);
  CHECK(best < tenth / 2);
  CHECK(best < 0.03);
  CHECK(sharp > 4 * best);
  CHECK(sharp < hard);
}
