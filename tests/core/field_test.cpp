// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/field.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <tuple>

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

std::string refusal_of(const AnyNumbers& setting) {
  try {
    require_fields(setting, "mine");
  } catch (const SettingError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a field of any number has a largest value where it states one") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(refusal_of({0, 1.5, 4}).empty());
  CHECK(refusal_of({0, -1e300, -5}).empty());
  CHECK(refusal_of({0, 1.75, 4}) == "mine: shift is 1.75, expected at most 1.5");
  CHECK(refusal_of({0, 0, 5}) == "mine: cells is 5, expected at most 4");
  CHECK(refusal_of({0, nan, 0}) == "mine: shift is nan, expected at most 1.5");
  for (const double any : {1e300, infinity, -infinity, nan}) {
    CHECK(refusal_of({any, 0, 0}).empty());
  }
}

TEST_CASE("a field that states no largest number has none") {
  CHECK(std::get<0>(AnyNumbers::fields()).most == std::numeric_limits<double>::infinity());
  CHECK(std::get<0>(AnyNumbers::fields()).allowed == Allowed::any);
  CHECK(std::get<2>(AnyNumbers::fields()).most == 4);
}
