// SPDX-License-Identifier: Apache-2.0
#include "homolog/selection/matchers.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "homolog/backbones/synthetic.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "pipeline/pictures.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;
using Json = nlohmann::ordered_json;

namespace {

/// A matcher of a user's own, with a name and one field of each kind.
struct MyMatcher {
  static constexpr std::string_view name = "mine";
  enum class Mode { near, far };
  friend constexpr std::array<std::string_view, 2> value_names(Mode) { return {"near", "far"}; }
  struct Setting {
    double share = 0.5;
    std::uint8_t count = 3;
    bool strict = false;
    Mode mode = Mode::near;
    static constexpr auto fields() {
      return std::tuple(Field{"share", &Setting::share, "a share"},
                        Field{"count", &Setting::count, "a count", Allowed::positive},
                        Field{"strict", &Setting::strict, "whether it is strict"},
                        Field{"mode", &Setting::mode, "where it looks"});
    }
  };
  Setting setting;
  Match operator()(const SimilarityMap& map) const { return {{0, 0}, map(0, 0)}; }
};

using Mine = std::variant<Argmax, MyMatcher>;

}  // namespace

TEST_CASE("every matcher comes back from its name and its JSON, whatever its fields hold") {
  for_each_policy<AnyMatcher>([](auto matcher) {
    CAPTURE(matcher.name);
    CHECK(policy_json(from_name(matcher.name)) == policy_json(matcher));
    for_each_field(matcher.setting, [](const auto&, auto& value) {
      if constexpr (std::is_enum_v<std::remove_cvref_t<decltype(value)>>) {
        value = static_cast<std::remove_cvref_t<decltype(value)>>(1);
      } else {
        value += 1;
      }
    });
    Json settings = policy_json(matcher);
    settings.erase("name");
    const AnyMatcher back = from_name(matcher.name, Json::parse(settings.dump()));
    CHECK(policy_json(back) == policy_json(matcher));
    CHECK(std::holds_alternative<decltype(matcher)>(back));
    CHECK(policy_json(from_json<AnyMatcher>(policy_json(matcher))) == policy_json(matcher));
    CHECK(policy_json(from_name(matcher.name, nullptr)) == policy_json(from_name(matcher.name)));
  });
  CHECK(std::get<SoftArgmax>(from_name("soft-argmax", {{"temperature", 7}})).setting.temperature ==
        7);
  const auto mine = std::get<MyMatcher>(
      from_name<Mine>("mine", {{"strict", true}, {"mode", "far"}, {"count", 255}}));
  CHECK(mine.setting.strict);
  CHECK(mine.setting.mode == MyMatcher::Mode::far);
  CHECK(mine.setting.count == 255);
  CHECK(mine.setting.share == 0.5);
}

TEST_CASE("what cannot be meant is refused by name, with what can") {
  const auto refusal = [](const char* name, const Json& settings) -> std::string {
    try {
      from_name<std::variant<Argmax, SoftArgmax, WindowSoftArgmax, UpsampledArgmax, MyMatcher>>(
          name, settings);
    } catch (const SettingError& error) {
      return error.what();
    }
    return "no error";
  };
  const Json none = Json::object();
  CHECK(refusal("softargmax", none) ==
        "'softargmax' is unknown; known are argmax, soft-argmax, window-soft-argmax, "
        "upsampled-argmax, mine");
  CHECK(refusal("argmax", {{"temperature", 1}}) == "argmax has no temperature, and nothing to set");
  CHECK(refusal("window-soft-argmax", {{"radius", 1}}) ==
        "window-soft-argmax has no radius; it has temperature, window_radius, outside");
  CHECK(refusal("soft-argmax", Json::array()) ==
        "soft-argmax: the settings are [], expected a JSON object");
  CHECK(refusal("soft-argmax", {{"temperature", "hot"}}) ==
        "soft-argmax: temperature is \"hot\", expected a number that float32 holds");
  for (const double lost : {1e300, -1e300, 1e-300}) {
    CHECK(refusal("soft-argmax", {{"temperature", lost}}).find("float32 holds") !=
          std::string::npos);
  }
  for (const double wrong : {0.0, -1.0}) {
    CHECK(refusal("soft-argmax", {{"temperature", wrong}}).find("a positive finite number") !=
          std::string::npos);
  }
  CHECK(refusal("window-soft-argmax", {{"window_radius", -1}}) ==
        "window-soft-argmax: window_radius is -1, expected at least 0");
  for (const Json& wrong : {Json(1.5), Json(5'000'000'000), Json(18446744073709551615U), Json(true),
                            Json(nullptr), Json("3")}) {
    CHECK(refusal("window-soft-argmax", {{"window_radius", wrong}}) ==
          "window-soft-argmax: window_radius is " + wrong.dump() + ", expected an integer");
  }
  CHECK(refusal("window-soft-argmax", {{"outside", "inside"}}) ==
        "window-soft-argmax: outside is \"inside\", expected \"excluded\" or \"masked_zero\"");
  CHECK(refusal("upsampled-argmax", {{"factor", 0}}) ==
        "upsampled-argmax: factor is 0, expected at least 1");
  CHECK(refusal("mine", {{"strict", 1}}) == "mine: strict is 1, expected true or false");
  CHECK(refusal("mine", {{"count", 256}}) == "mine: count is 256, expected an integer");
}

TEST_CASE("a field may have a largest value") {
  struct Setting {
    double share = 0;
    int cells = 1;
    static constexpr auto fields() {
      return std::tuple(Field{"share", &Setting::share, "a share", Allowed::not_negative, 1},
                        Field{"cells", &Setting::cells, "cells", Allowed::positive, 4});
    }
  };
  const auto refusal = [](Setting setting) -> std::string {
    try {
      require_fields(setting, "mine");
    } catch (const SettingError& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refusal({1, 4}).empty());
  CHECK(refusal({0, 1}).empty());
  CHECK(refusal({1.5, 4}) == "mine: share is 1.5, expected at least 0 and at most 1");
  CHECK(refusal({-0.5, 4}) == "mine: share is -0.5, expected at least 0 and at most 1");
  CHECK(refusal({std::numeric_limits<double>::quiet_NaN(), 4}).starts_with("mine: share is "));
  CHECK(refusal({1, 5}) == "mine: cells is 5, expected at least 1 and at most 4");
  CHECK(refusal({1, 0}) == "mine: cells is 0, expected at least 1 and at most 4");
}

TEST_CASE("a pipeline's setting goes to JSON and back") {
  const PipelineSetting changed{.resize = Resize::longest_side,
                                .image_size = 252,
                                .filter = ResizeFilter::bilinear,
                                .query = Query::bilinear,
                                .threads = 3,
                                .margin = true};
  const Json json = setting_json(changed);
  CHECK(json == Json{{"resize", "longest-side"},
                     {"image_size", 252},
                     {"filter", "bilinear"},
                     {"query", "bilinear"},
                     {"threads", 3},
                     {"margin", true}});
  PipelineSetting back;
  read_setting(back, Json::parse(json.dump()), "pipeline");
  CHECK(setting_json(back) == json);
  CHECK_THROWS_WITH_AS(read_setting(back, {{"resize", "stretch"}}, "pipeline"),
                       "pipeline: resize is \"stretch\", expected \"squash\" or \"letterbox\" or "
                       "\"longest-side\" or \"native\"",
                       SettingError);
  CHECK(setting_json(back) == json);
}

TEST_CASE("JSON of a policy needs its name") {
  for (const Json& json : {Json(3), Json::object(), Json{{"name", 3}}}) {
    CHECK_THROWS_WITH_AS(from_json<AnyMatcher>(json),
                         doctest::Contains("expected a JSON object with the text \"name\""),
                         SettingError);
  }
}

TEST_CASE("an enumeration outside of its values is refused, and shown as its number") {
  WindowSoftArgmax matcher;
  matcher.setting.outside = static_cast<WindowSoftArgmax::Outside>(7);
  CHECK_THROWS_AS(require_fields(matcher.setting, "test"), SettingError);
  CHECK(policy_json(matcher)["outside"] == "7");
}

TEST_CASE("a refused setting is left as it was") {
  WindowSoftArgmax::Setting setting;
  setting.window_radius = 5;
  CHECK_THROWS_AS(read_setting(setting, {{"window_radius", 3}, {"temperature", 0}}, "test"),
                  SettingError);
  CHECK(setting.window_radius == 5);
  CHECK_THROWS_AS(read_setting(setting, {{"window_radius", 3}, {"temp", 1}}, "test"), SettingError);
  CHECK(setting.window_radius == 5);
}

TEST_CASE("a visited matcher answers as the one composed at compile time") {
  const Image source = noise_picture(80, 60, 1), target = noise_picture(70, 75, 2);
  const Points<ImageFrame> points{{20, 30}, {61.5, 40.25}};
  const auto composed =
      Pipeline<SyntheticBackbone, WindowSoftArgmax>(SyntheticBackbone{}, {{.window_radius = 4}})
          .match(source, target, points);
  const AnyMatcher any = from_name("window-soft-argmax", {{"window_radius", 4}});
  for (const bool mutual : {false, true}) {
    const MatchResult found = visit_matcher(any, mutual, [&](const auto& matcher) {
      return Pipeline(SyntheticBackbone{}, matcher).match(source, target, points);
    });
    CHECK(found.points.list == composed.points.list);
    CHECK(found.scores == composed.scores);
  }
}

TEST_CASE("the documentation has the table of names and fields that the lists give") {
  const std::string page = read_file(std::string(HOMOLOG_DOCS) + "/reference/matchers.md");
  CHECK(page.find(policy_table<AnyMatcher>()) != std::string::npos);
}
