// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/field.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <tuple>

#include "homolog/core/errors.hpp"

using namespace homolog;

namespace {

/// Fields that may hold any number, with and without a largest one.
struct AnyNumbers {
  double free = 0;
  double shift = 0;
  int cells = 0;
  static constexpr auto fields() {
    return std::tuple(Field{"free", &AnyNumbers::free, "any number"},
                      Field{"shift", &AnyNumbers::shift, "a shift", Allowed::any, 1.5},
                      Field{"cells", &AnyNumbers::cells, "cells", Allowed::any, 4});
  }
};

}  // namespace

TEST_CASE("a field of any number has a largest value where it states one") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const auto require = [](const AnyNumbers& setting) { require_fields(setting, "mine"); };
  CHECK_NOTHROW(require({0, 1.5, 4}));
  CHECK_NOTHROW(require({0, -1e300, -5}));
  CHECK_THROWS_WITH_AS(require({0, 1.75, 4}), "mine: shift is 1.75, expected at most 1.5",
                       SettingError);
  CHECK_THROWS_WITH_AS(require({0, 0, 5}), "mine: cells is 5, expected at most 4", SettingError);
  CHECK_THROWS_WITH_AS(require({0, nan, 0}), "mine: shift is nan, expected at most 1.5",
                       SettingError);
  for (const double any : {1e300, infinity, -infinity, nan}) {
    CHECK_NOTHROW(require({any, 0, 0}));
  }
}

TEST_CASE("a field that states no largest number has none") {
  CHECK(std::get<0>(AnyNumbers::fields()).most == std::numeric_limits<double>::infinity());
  CHECK(std::get<0>(AnyNumbers::fields()).allowed == Allowed::any);
  CHECK(std::get<2>(AnyNumbers::fields()).most == 4);
}
