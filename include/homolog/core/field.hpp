// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The fields of a policy's setting, listed once: their checks, JSON, command-line options, tables
/// of the documentation and the identity of a run are all made from that list.
///
/// @code
/// struct MyMatcher {
///   static constexpr std::string_view name = "my-matcher";
///   struct Setting {
///     float temperature = 50;
///     static constexpr auto fields() {
///       return std::tuple(homolog::Field{"temperature", &Setting::temperature,
///                                        "multiplies the cosine", homolog::Allowed::positive});
///     }
///   };
///   Setting setting;
///   homolog::Match operator()(const homolog::SimilarityMap& map) const;
/// };
/// @endcode

#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "homolog/core/errors.hpp"
#include "homolog/core/value_names.hpp"

namespace homolog::inline v0_1 {

/// Which numbers a field may hold.
enum class Allowed {
  any,           ///< all of its type
  not_negative,  ///< 0 and above
  positive       ///< above 0 and finite
};

/// One member of a setting: a number, or an enumeration whose values have names, see
/// value_names.hpp.
template <class Setting, class Value>
struct Field {
  std::string_view name;           ///< in JSON; with hyphens on a command line
  Value Setting::*member;          ///< where it lies
  std::string_view text;           ///< what it is, for help and tables; no full stop
  Allowed allowed = Allowed::any;  ///< checked by require_fields()
  double most = std::numeric_limits<double>::infinity();  ///< the largest number allowed
};
/// Deduces both types from the member. Its defaults say only what may be left out; the values are
/// those above.
template <class Setting, class Value>
Field(std::string_view, Value Setting::*, std::string_view, Allowed = {}, double = {})
    -> Field<Setting, Value>;

/// A setting that lists its fields.
template <class S>
concept ListedSetting = requires {
  S::fields();
};

/// Calls `visit(field, value)` for each field of a setting, in the order of its list.
template <class Setting, class Visit>
constexpr void for_each_field(Setting& setting, const Visit& visit) {
  std::apply([&](const auto&... field) { (visit(field, setting.*field.member), ...); },
             std::remove_const_t<Setting>::fields());
}

namespace detail {

/// Whether a field may hold a number; NaN only where it may hold all of its type.
inline bool is_allowed(double number, Allowed allowed, double most) {
  if (std::isfinite(most) && !(number <= most)) return false;
  if (allowed == Allowed::positive) return number > 0 && std::isfinite(number);
  return allowed == Allowed::any || number >= 0;
}

/// What is_allowed() takes, in words.
template <class Value>
std::string allowed_text(Allowed allowed, double most) {
  const char* least = allowed == Allowed::any            ? ""
                      : allowed == Allowed::not_negative ? "at least 0"
                      : std::integral<Value>             ? "at least 1"
                                                         : "a positive finite number";
  if (!std::isfinite(most)) return least;
  return text(least, allowed == Allowed::any ? "" : " and ", "at most ", most);
}

}  // namespace detail

/// Checks the numbers of a setting against its list.
///
/// @param who the policy, for the error
/// @throws SettingError naming the first field whose value is not allowed, and what is
template <ListedSetting Setting>
void require_fields(const Setting& setting, std::string_view who) {
  for_each_field(setting, [who](const auto& field, const auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_enum_v<Value>) {
      if (static_cast<std::size_t>(value) < value_names(value).size()) return;
      throw SettingError(detail::text(who, ": ", field.name, " is none of its values"));
    } else if constexpr (std::is_arithmetic_v<Value> && !std::same_as<Value, bool>) {
      if (detail::is_allowed(static_cast<double>(value), field.allowed, field.most)) return;
      throw SettingError(detail::text(who, ": ", field.name, " is ", value, ", expected ",
                                      detail::allowed_text<Value>(field.allowed, field.most)));
    }
  });
}

}  // namespace homolog::inline v0_1
