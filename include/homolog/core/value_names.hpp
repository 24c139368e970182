// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Names of an enumeration's values, listed once: files, command lines and documentation all spell
/// a value as that list does.
///
/// @code
/// enum class Mode { near, far };
/// constexpr std::array<std::string_view, 2> value_names(Mode) { return {"near", "far"}; }
/// @endcode
///
/// The function stands in the enumeration's own namespace, or is a friend of the class around it.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "homolog/core/errors.hpp"
#include "homolog/core/printable_text.hpp"

namespace homolog::inline v0_1 {

/// An enumeration whose values are 0, 1, 2 and so on, with a list of their names in that order.
template <class E>
concept NamedValues = std::is_enum_v<E> && requires(E value) {
  std::string_view(value_names(value)[0]);
  value_names(value).size();
};

/// The value of this name; nothing where none has it.
template <NamedValues E>
constexpr std::optional<E> find_value(std::string_view name) {
  const auto names = value_names(E{});
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<E>(i);
  }
  return std::nullopt;
}

/// The names of all values, as `a, b, c`.
template <NamedValues E>
std::string listed_values() {
  std::string list;
  for (const std::string_view name : value_names(E{})) {
    list += detail::text(list.empty() ? "" : ", ", name);
  }
  return list;
}

/// The name of a value.
///
/// @throws SettingError for a number that is no value of the enumeration
template <NamedValues E>
constexpr std::string_view value_name(E value) {
  const auto names = value_names(value);
  const auto index = static_cast<std::size_t>(value);
  if (index < names.size()) return names[index];
  throw SettingError(detail::text("a value is the number ", index, ", expected one of ",
                                  listed_values<E>(), ", which are 0 to ", names.size() - 1));
}

/// The value of this name.
///
/// @throws SettingError for a name that none has
template <NamedValues E>
E value_named(std::string_view name) {
  if (const auto value = find_value<E>(name)) return *value;
  throw SettingError(
      detail::text("'", printable_text(name, 40), "' is unknown; known are ", listed_values<E>()));
}

}  // namespace homolog::inline v0_1
