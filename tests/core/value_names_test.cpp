// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/value_names.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>
#include <string_view>

#include "homolog/backbones/position_interpolation.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/images/resize.hpp"
#include "homolog/kernels/sample.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"

using namespace homolog;

namespace {

enum class Fruit { apple, pear };
constexpr std::array<std::string_view, 2> value_names(Fruit) { return {"apple", "pear"}; }
enum class Nameless { one };

static_assert(NamedValues<Fruit> && !NamedValues<Nameless> && !NamedValues<int>);
static_assert(value_name(Fruit::pear) == "pear" && find_value<Fruit>("pear") == Fruit::pear);

}  // namespace

TEST_CASE_TEMPLATE("each value of an enumeration has a name of its own, which leads back to it", E,
                   Fruit, Resize, ResizeFilter, Query, PositionInterpolation,
                   WindowSoftArgmax::Outside) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < value_names(E{}).size(); ++i) {
    const auto value = static_cast<E>(i);
    const std::string_view name = value_name(value);
    CAPTURE(std::string(name));
    CHECK(names.insert(name).second);
    CHECK(value_named<E>(name) == value);
    CHECK(find_value<E>(name) == value);
    CHECK_FALSE(find_value<E>(std::string(name) + " ").has_value());
  }
  CHECK_FALSE(find_value<E>("").has_value());
}

TEST_CASE("an unknown name and a number that is no value are refused, with what there is") {
  CHECK_THROWS_WITH_AS(value_named<Resize>("stretch"),
                       "'stretch' is unknown; known are squash, letterbox, longest-side, native",
                       SettingError);
  CHECK_THROWS_WITH_AS(value_name(static_cast<Fruit>(7)),
                       "a value is the number 7, expected one of apple, pear, which are 0 to 1",
                       SettingError);
  CHECK_THROWS_AS(value_name(static_cast<Fruit>(-1)), SettingError);
}
