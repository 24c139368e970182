// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Settings as JSON and as tables, and policies by name: all from the lists of fields that the
/// settings have, see core/field.hpp.

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/field.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/core/value_names.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// A value of JSON as a field's type; nothing where it is no such value.
template <class Value>
std::optional<Value> value_from(const nlohmann::ordered_json& json) {
  if constexpr (std::is_enum_v<Value>) {
    return json.is_string() ? find_value<Value>(json.get_ref<const std::string&>()) : std::nullopt;
  } else if constexpr (std::same_as<Value, bool>) {
    return json.is_boolean() ? std::optional(json.get<bool>()) : std::nullopt;
  } else if constexpr (std::integral<Value>) {
    const bool large = json.is_number_unsigned() &&
                       json.get<std::uint64_t>() >
                           static_cast<std::uint64_t>((std::numeric_limits<std::int64_t>::max)());
    if (!json.is_number_integer() || large || !std::in_range<Value>(json.get<std::int64_t>())) {
      return std::nullopt;
    }
    return static_cast<Value>(json.get<std::int64_t>());
  } else {
    static_assert(std::floating_point<Value>, "homolog: a field is a number or an enumeration");
    if (!json.is_number()) return std::nullopt;
    const double given = json.get<double>();
    const auto value = static_cast<Value>(given);
    const bool lost = (value == 0) != (given == 0) || std::isfinite(value) != std::isfinite(given);
    return lost ? std::nullopt : std::optional(value);
  }
}

/// What value_from() takes, in words.
template <class Value>
std::string expected_value() {
  if constexpr (std::is_enum_v<Value>) {
    std::string words;
    for (const std::string_view one : value_names(Value{})) {
      words += text(words.empty() ? "" : " or ", '"', one, '"');
    }
    return words;
  } else if constexpr (std::same_as<Value, bool>) {
    return "true or false";
  } else {
    if (std::integral<Value>) return "an integer";
    return std::same_as<Value, float> ? "a number that float32 holds" : "a number";
  }
}

template <class List>
struct PolicyList;
template <class... P>
struct PolicyList<std::variant<P...>> {
  static_assert((requires { P::name; } && ...),
                "homolog: a policy that is chosen by name needs 'static constexpr std::string_view "
                "name'; MutualNearest has none, see visit_matcher()");

  static std::string get() {
    std::string names;
    ((names += text(names.empty() ? "" : ", ", P::name)), ...);
    return names;
  }
  template <class Visit>
  static void for_each(const Visit& visit) {
    (visit(P{}), ...);
  }
};

}  // namespace detail

/// Calls `visit(P{})` for each policy of a variant, in its order.
template <class List, class Visit>
void for_each_policy(const Visit& visit) {
  detail::PolicyList<List>::for_each(visit);
}

/// The setting of a policy, or of the matcher that a loss trains.
template <class P>
constexpr auto& setting_of(P& policy) {
  if constexpr (requires { policy.setting.fields(); }) {
    return policy.setting;
  } else {
    static_assert(
        requires { policy.matcher.setting.fields(); },
        "homolog: a policy that is chosen by name needs a member 'setting' whose type has "
        "'static constexpr auto fields()'");
    return policy.matcher.setting;
  }
}

/// The names of an enumeration's values, in their order.
template <class Enumeration>
std::vector<std::string> value_names_of() {
  const auto names = value_names(Enumeration{});
  return {names.begin(), names.end()};
}

/// A field's value as JSON; an enumeration as its name.
template <class Value>
nlohmann::ordered_json field_json(const Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    const auto index = static_cast<std::size_t>(value);
    const auto names = value_names(value);
    return index < names.size() ? std::string(names[index]) : std::to_string(index);
  } else {
    return value;
  }
}

/// A setting as a JSON object, its fields in the order of their list.
template <ListedSetting Setting>
nlohmann::ordered_json setting_json(const Setting& setting) {
  auto json = nlohmann::ordered_json::object();
  for_each_field(setting, [&json](const auto& field, const auto& value) {
    json[std::string(field.name)] = field_json(value);
  });
  return json;
}

/// Takes the fields that a JSON object names; the others stay as they are, and null names none.
///
/// @param who the policy, for the error
/// @throws SettingError for JSON that is no object, a name that is no field, or a value of another
/// type or one that is not allowed; the setting is unchanged then
template <ListedSetting Setting>
void read_setting(Setting& setting, const nlohmann::ordered_json& json, std::string_view who) {
  if (json.is_null()) return;
  if (!json.is_object()) {
    throw SettingError(
        detail::text(who, ": the settings are ", json_text(json), ", expected a JSON object"));
  }
  Setting result = setting;
  for (const auto& item : json.items()) {
    bool found = false;
    std::string names;
    for_each_field(result, [&](const auto& field, auto& value) {
      using Value = std::remove_cvref_t<decltype(value)>;
      names += detail::text(names.empty() ? "" : ", ", field.name);
      if (field.name != item.key()) return;
      found = true;
      const auto given = detail::value_from<Value>(item.value());
      if (!given) {
        throw SettingError(detail::text(who, ": ", field.name, " is ", json_text(item.value()),
                                        ", expected ", detail::expected_value<Value>()));
      }
      value = *given;
    });
    if (!found) {
      throw SettingError(detail::text(who, " has no ", printable_text(item.key(), 40),
                                      names.empty() ? ", and nothing to set" : "; it has ", names));
    }
  }
  require_fields(result, who);
  setting = result;
}

/// The names of a variant's policies, as `a, b, c`.
template <class List>
std::string policy_names() {
  return detail::PolicyList<List>::get();
}

/// The policy of a variant that has this name, set up.
///
/// @param settings a JSON object of the fields that differ from their defaults
/// @throws SettingError for a name that none has, or as read_setting()
template <class List>
List from_name(std::string_view name,
               const nlohmann::ordered_json& settings = nlohmann::ordered_json::object()) {
  std::optional<List> found;
  for_each_policy<List>([&](auto policy) {
    if (policy.name != name) return;
    read_setting(setting_of(policy), settings, name);
    found = List(policy);
  });
  if (found) return *found;
  throw SettingError(detail::text("'", printable_text(name, 40), "' is unknown; known are ",
                                  policy_names<List>()));
}

/// A policy's name and setting as one JSON object, `{"name": "soft-argmax", "temperature": 50.0}`,
/// which from_json() reads.
template <class P>
nlohmann::ordered_json policy_json(const P& policy) {
  nlohmann::ordered_json json{{"name", std::string(P::name)}};
  json.update(setting_json(setting_of(policy)));
  return json;
}

/// The policy of a variant that a JSON object describes as policy_json() does.
///
/// @throws SettingError for JSON without a text `name`, or as from_name()
template <class List>
List from_json(nlohmann::ordered_json json) {
  if (!json.is_object() || !json.contains("name") || !json.at("name").is_string()) {
    throw SettingError(detail::text("a policy is ", json_text(json),
                                    ", expected a JSON object with the text \"name\""));
  }
  const auto name = json.at("name").template get<std::string>();
  json.erase("name");
  return from_name<List>(name, json);
}

/// The same of the policy that a variant holds.
template <class... P>
nlohmann::ordered_json policy_json(const std::variant<P...>& any) {
  return std::visit([](const auto& policy) { return policy_json(policy); }, any);
}

/// The policies of a variant and their fields as a table in Markdown, with the default values.
template <class List>
std::string policy_table() {
  std::string table = "| name | field | default | meaning |\n|---|---|---|---|\n";
  for_each_policy<List>([&table](const auto& policy) {
    bool first = true;
    const auto name = [&] { return first ? detail::text('`', policy.name, '`') : std::string(); };
    for_each_field(setting_of(policy), [&](const auto& field, const auto& value) {
      table += detail::text("| ", name(), " | `", field.name, "` | `", json_text(field_json(value)),
                            "` | ", field.text, " |\n");
      first = false;
    });
    if (first) table += detail::text("| ", name(), " | | | nothing to set |\n");
  });
  return table;
}

}  // namespace homolog::inline v0_1
