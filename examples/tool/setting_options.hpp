// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fields of policies' settings as options of a command line, made from the policies' own lists.

#include <CLI/CLI.hpp>
#include <cmath>
#include <concepts>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/selection/fields.hpp"
#include "usage.hpp"

namespace tool {

// "--" and "window_radius" give "--window-radius".
inline std::string option_name(const std::string& prefix, std::string_view field) {
  std::string name = prefix + std::string(field);
  for (char& c : name) c = c == '_' ? '-' : c;
  return name;
}

// The names of a variant's policies.
template <class List>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  homolog::for_each_policy<List>([&names](const auto& policy) { names.emplace_back(policy.name); });
  return names;
}

// Which numbers a field's option takes.
template <class Field, class Value>
CLI::Validator numbers_of(const Field& field, const Value&) {
  const bool positive = field.allowed == homolog::Allowed::positive;
  if (std::isfinite(field.most) && field.most < 1e300) return number_within(0, field.most);
  if (!positive) return number_from(0);
  return std::integral<Value> ? number_from(1) : positive_number();
}

// One option for each number of a setting, which takes what is typed; its default is shown.
template <homolog::ListedSetting Setting>
void add_number_options(CLI::App& command, Setting& setting) {
  homolog::for_each_field(setting, [&command](const auto& field, auto& value) {
    command.add_option(option_name("--", field.name), value, std::string(field.text))
        ->check(numbers_of(field, value))
        ->capture_default_str();
  });
}

// One option for each field that any policy of a variant has; what is typed goes into `settings`.
template <class List>
void add_setting_options(CLI::App& command, const std::string& prefix,
                         nlohmann::ordered_json& settings) {
  std::map<std::string, CLI::Option*> options;
  homolog::for_each_policy<List>([&](const auto& policy) {
    homolog::for_each_field(homolog::setting_of(policy), [&](const auto& field, const auto& value) {
      using Value = std::remove_cvref_t<decltype(value)>;
      const std::string key(field.name);
      const std::string text = homolog::text(policy.name, ": ", field.text, " (default ",
                                             homolog::json_text(homolog::field_json(value)), ")");
      if (const auto known = options.find(key); known != options.end()) {
        known->second->description(known->second->get_description() + "; " + text);
        return;
      }
      const std::string name = option_name(prefix, field.name);
      if constexpr (std::is_enum_v<Value>) {
        options[key] =
            command
                .add_option_function<std::string>(
                    name, [&settings, key](const auto& one) { settings[key] = one; }, text)
                ->check(CLI::IsMember(homolog::value_names_of<Value>()));
      } else {
        using Typed = std::conditional_t<std::integral<Value>, Value, double>;
        options[key] =
            command
                .add_option_function<Typed>(
                    name, [&settings, key](const Typed& one) { settings[key] = one; }, text)
                ->check(numbers_of(field, value));
      }
    });
  });
}

// The policy a user named, with what was typed; an option that it does not have, or a number that
// does not fit its field, is a UsageError.
//
// @param kind what it is called in the sentence, as "matcher"; its option is --kind
template <class List>
List make_policy(const std::string& kind, const std::string& name, const std::string& prefix,
                 const nlohmann::ordered_json& settings) {
  for (const auto& item : settings.items()) {
    bool has = false;
    std::string others;
    homolog::for_each_policy<List>([&](const auto& policy) {
      if (!homolog::setting_json(homolog::setting_of(policy)).contains(item.key())) return;
      has = has || policy.name == name;
      others += homolog::text(others.empty() ? "--" + kind + " " : " or ", policy.name);
    });
    if (has) continue;
    throw UsageError(kind + " " + name + " has no " + option_name(prefix, item.key()) +
                     "; leave it out or type " + others);
  }
  try {
    return homolog::from_name<List>(name, settings);
  } catch (const homolog::SettingError& error) {
    throw UsageError(error.what());
  }
}

}  // namespace tool
