// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fields of policies' settings as options of a command line, made from the policies' own lists.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/field.hpp"
#include "homolog/core/json_text.hpp"
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

// Checks what is typed for a number. A field that may hold any number is left to the policy, which
// knows its largest one; only -1 for an unsigned one is refused here, because CLI11 takes it for
// the largest number of its type.
template <class Value>
void check_number(CLI::Option& option, homolog::Allowed allowed, double most) {
  const bool positive = allowed == homolog::Allowed::positive;
  if (allowed == homolog::Allowed::any && !std::unsigned_integral<Value>) return;
  if (std::isfinite(most) && most < 1e300) {
    option.check(number_within(0, most));
  } else if (!positive) {
    option.check(number_from(0));
  } else {
    option.check(std::integral<Value> ? number_from(1) : positive_number());
  }
}

// A field that is true or false is a flag: "--strict", and "--no-strict" for a default of true.
inline std::string flag_names(const std::string& prefix, std::string_view field) {
  return option_name(prefix, field) + ",!" + option_name(prefix + "no-", field);
}

// One option for each number of a setting, which takes what is typed; its default is shown.
template <homolog::ListedSetting Setting>
void add_number_options(CLI::App& command, Setting& setting) {
  homolog::for_each_field(setting, [&command](const auto& field, auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    const std::string text(field.text);
    if constexpr (std::same_as<Value, bool>) {
      command.add_flag(flag_names("--", field.name), value, text)->capture_default_str();
    } else {
      CLI::Option* option = command.add_option(option_name("--", field.name), value, text);
      check_number<Value>(*option->capture_default_str(), field.allowed, field.most);
    }
  });
}

// The type of what is typed for a field: a policy rounds a number to its own float.
template <class Value>
using Typed = std::conditional_t<std::floating_point<Value>, double, Value>;

template <class S1, class V1, class S2, class V2>
constexpr bool fit_together(const homolog::Field<S1, V1>& one, const homolog::Field<S2, V2>& two) {
  return one.name != two.name || std::same_as<Typed<V1>, Typed<V2>>;
}

template <class P>
constexpr auto fields_of() {
  return std::remove_cvref_t<decltype(homolog::setting_of(std::declval<P&>()))>::fields();
}

// Whether the fields of one name have one type in all policies of a variant.
template <class List>
inline constexpr bool one_type_a_name = false;
template <class... P>
inline constexpr bool one_type_a_name<std::variant<P...>> = std::apply(
    [](const auto&... all) {
      const auto fits_all = [&](const auto& one) { return (fit_together(one, all) && ...); };
      return (fits_all(all) && ...);
    },
    std::tuple_cat(fields_of<P>()...));

// Checks what is typed for a number of this name by the widest range that a policy of a variant has
// for it; the policy that is chosen checks its own.
template <class List, class Value>
void check_widest(CLI::Option& option, std::string_view name) {
  auto allowed = homolog::Allowed::positive;
  double most = 0;
  homolog::for_each_policy<List>([&](const auto& policy) {
    homolog::for_each_field(homolog::setting_of(policy), [&](const auto& field, const auto&) {
      if (field.name != name) return;
      allowed = (std::min)(allowed, field.allowed);  // the values are in order, the widest first
      most = (std::max)(most, field.most);
    });
  });
  check_number<Value>(option, allowed, most);
}

// One option for each field that any policy of a variant has; what is typed goes into `settings`.
template <class List>
void add_setting_options(CLI::App& command, const std::string& prefix,
                         nlohmann::ordered_json& settings) {
  static_assert(one_type_a_name<List>,
                "homolog: two policies have fields of one name with different types, but one "
                "option sets both; give the fields one type or two names");
  std::map<std::string, CLI::Option*> options;
  homolog::for_each_policy<List>([&](const auto& policy) {
    homolog::for_each_field(homolog::setting_of(policy), [&](const auto& field, const auto& value) {
      using Value = std::remove_cvref_t<decltype(value)>;
      const std::string key(field.name);
      const std::string text = homolog::text(policy.name, ": ", field.text, " (default ",
                                             homolog::json_text(homolog::field_json(value)), ")");
      CLI::Option*& option = options[key];
      if (option != nullptr) {
        option->description(option->get_description() + "; " + text);
        return;
      }
      const std::string name = option_name(prefix, field.name);
      const auto keep = [&settings, key](const auto& one) { settings[key] = one; };
      if constexpr (std::is_enum_v<Value>) {
        option = command.add_option_function<std::string>(name, keep, text)
                     ->check(CLI::IsMember(homolog::value_names_of<Value>()));
      } else if constexpr (std::same_as<Value, bool>) {
        option = command.add_flag_function(
            flag_names(prefix, field.name), [keep](std::int64_t count) { keep(count > 0); }, text);
      } else {
        option = command.add_option_function<Typed<Value>>(name, keep, text);
        check_widest<List, Value>(*option, field.name);
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
