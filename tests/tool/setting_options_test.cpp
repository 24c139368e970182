// SPDX-License-Identifier: Apache-2.0
#include "setting_options.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

using namespace homolog;

namespace own {

/// A policy with a field that may hold any number, one that has a largest, and two flags.
struct First {
  static constexpr std::string_view name = "first";
  struct Setting {
    double shift = 0;
    int top = 1;
    bool strict = false;
    bool round_up = true;
    float width = 1;
    std::uint64_t seed = 0;
    static constexpr auto fields() {
      return std::tuple(Field{"shift", &Setting::shift, "a shift"},
                        Field{"top", &Setting::top, "a height", Allowed::any, 4},
                        Field{"strict", &Setting::strict, "whether it is strict"},
                        Field{"round_up", &Setting::round_up, "whether halves are rounded up"},
                        Field{"width", &Setting::width, "a width", Allowed::positive, 2},
                        Field{"seed", &Setting::seed, "a seed"});
    }
  };
  Setting setting;
};

/// The same names with other ranges, and in float64 what First has in float32.
struct Second {
  static constexpr std::string_view name = "second";
  struct Setting {
    float shift = 2;
    double width = 0;
    static constexpr auto fields() {
      return std::tuple(Field{"shift", &Setting::shift, "another shift", Allowed::positive},
                        Field{"width", &Setting::width, "another width", Allowed::not_negative, 8});
    }
  };
  Setting setting;
};

struct IntegerShift {
  static constexpr std::string_view name = "integer";
  struct Setting {
    int shift = 0;
    static constexpr auto fields() {
      return std::tuple(Field{"shift", &Setting::shift, "whole cells"});
    }
  };
  Setting setting;
};

template <class Value>
struct Named {
  static constexpr std::string_view name = "named";
  struct Setting {
    Value mode{};
    static constexpr auto fields() { return std::tuple(Field{"mode", &Setting::mode, "a mode"}); }
  };
  Setting setting;
};
enum class Near { one, two };
constexpr std::array<std::string_view, 2> value_names(Near) { return {"one", "two"}; }
enum class Far { two, three };
constexpr std::array<std::string_view, 2> value_names(Far) { return {"two", "three"}; }

using Policies = std::variant<First, Second>;

}  // namespace own

namespace {

using namespace own;

static_assert(tool::one_type_a_name<Policies>);
static_assert(!tool::one_type_a_name<std::variant<First, IntegerShift>>);
static_assert(!tool::one_type_a_name<std::variant<IntegerShift, Second, First>>);
static_assert(!tool::one_type_a_name<std::variant<Named<Near>, Named<Far>>>);
static_assert(!tool::one_type_a_name<std::variant<Named<Near>, Named<bool>, First>>);
static_assert(tool::one_type_a_name<std::variant<Named<Near>, Named<Near>, First>>);

/// What a command line gives: the setting as JSON, or the sentence that refuses it.
std::string typed(const std::string& policy, std::vector<std::string> arguments) {
  CLI::App command;
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();
  tool::add_setting_options<Policies>(command, "--", settings);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 reads such a list from its end
  try {
    command.parse(arguments);
    const auto made = tool::make_policy<Policies>("matcher", policy, "--", settings);
    return policy_json(made).dump();
  } catch (const CLI::ParseError& error) {
    return error.what();
  } catch (const tool::UsageError& error) {
    return error.what();
  }
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an option of any number takes negative ones") {
  CHECK(contains(typed("first", {"--shift", "-1"}), R"("shift":-1.0)"));
  CHECK(contains(typed("first", {"--shift=-2.5e3"}), R"("shift":-2500.0)"));
  CHECK(contains(typed("first", {"--top", "-7"}), R"("top":-7)"));
  CHECK(contains(typed("first", {"--shift", "left"}), "--shift"));
  CHECK(contains(typed("first", {"--top", "1.5"}), "--top"));
  CHECK(contains(typed("first", {"--seed", "7"}), R"("seed":7)"));
  CHECK(typed("first", {"--seed", "-1"}) == "--seed: -1 is not a number from 0 on");
  CHECK(typed("first", {"--top", "5"}) == "first: top is 5, expected at most 4");
}

TEST_CASE("an option of true or false is a flag, as those of the tool itself") {
  CHECK(contains(typed("first", {}), R"("strict":false,"round_up":true)"));
  CHECK(contains(typed("first", {"--strict"}), R"("strict":true)"));
  CHECK(contains(typed("first", {"--no-strict"}), R"("strict":false)"));
  CHECK(contains(typed("first", {"--no-round-up"}), R"("round_up":false)"));
  CHECK(contains(typed("first", {"--round-up"}), R"("round_up":true)"));
  CHECK(contains(typed("second", {"--strict"}), "matcher second has no --strict"));

  CLI::App command;
  First::Setting setting;
  tool::add_number_options(command, setting);
  std::vector<std::string> arguments{"--no-round-up", "--strict", "-3", "--shift"};
  command.parse(arguments);
  CHECK(setting.strict);
  CHECK_FALSE(setting.round_up);
  CHECK(setting.shift == -3);
}

TEST_CASE("an option of two policies takes what either of them takes, and each checks its own") {
  CHECK(contains(typed("first", {"--width", "2"}), R"("width":2.0)"));
  CHECK(contains(typed("second", {"--width", "8"}), R"("width":8.0)"));
  CHECK(contains(typed("second", {"--width", "0"}), R"("width":0.0)"));
  CHECK(typed("first", {"--width", "8"}) ==
        "first: width is 8, expected a positive finite number and at most 2");
  CHECK(typed("second", {"--width", "9"}) == "--width: 9 is not a number from 0 to 8");
  CHECK(typed("second", {"--shift", "-1"}) ==
        "second: shift is -1, expected a positive finite number");
}
