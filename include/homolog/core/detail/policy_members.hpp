// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Which members a policy has, in whatever form, and which of its classes declares them.

#include <type_traits>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1::detail {

/// Defines a test for a member of a given name, whatever its form: in a class that derives from the
/// policy and from a class with that name, the name is ambiguous exactly when the policy has it.
/// Without the test, an optional member of a wrong form, such as one that is not const, would be
/// ignored silently.
#define HOMOLOG_NAMES(member)                                  \
  struct Has_##member {                                        \
    int member;                                                \
  };                                                           \
  template <class P>                                           \
  struct Also_##member : P, Has_##member {};                   \
  template <class P>                                           \
  constexpr bool names_##member() {                            \
    if constexpr (std::is_class_v<P> && !std::is_final_v<P>) { \
      return !requires { &Also_##member<P>::member; };         \
    } else {                                                   \
      return requires { &P::member; };                         \
    }                                                          \
  }
HOMOLOG_NAMES(reach)
HOMOLOG_NAMES(match)
HOMOLOG_NAMES(decode)
HOMOLOG_NAMES(needs_features)
HOMOLOG_NAMES(checks_mutual)
HOMOLOG_NAMES(normalization)
HOMOLOG_NAMES(default_image_size)
HOMOLOG_NAMES(takes_bytes)
HOMOLOG_NAMES(forward_bytes)
#undef HOMOLOG_NAMES

/// The same for the call operator.
struct HasCall {
  int operator()() const { return 0; }
};
template <class P>
struct AlsoCall : P, HasCall {};
template <class P>
constexpr bool names_call() {
  if constexpr (std::is_class_v<P> && !std::is_final_v<P>) {
    return !requires { &AlsoCall<P>::operator(); };
  } else {
    return requires { &P::operator(); };
  }
}

/// The class that declares a member, taken from the type of a pointer to the member; void for any
/// other type.
template <class T>
struct DeclaringClass {
  using Type = void;
};
template <class C, class T>
struct DeclaringClass<T C::*> {
  using Type = C;
};

/// Which class declares a policy's call operator, compared with the class that declares an optional
/// member.
enum class CallOperator {
  known,   ///< that class's, or one of its bases'
  newer,   ///< one of a class derived from it, which the member knows nothing of
  unknown  ///< overloaded or a template, so that its class cannot be determined
};

/// @tparam Call the usual type of the call operator, as a member of the declaring class
template <class P, class Declaring, class Call>
constexpr CallOperator call_operator_of() {
  if constexpr (std::is_same_v<P, Declaring>) {
    return CallOperator::known;
  } else if constexpr (std::is_void_v<Declaring>) {
    return CallOperator::unknown;
  } else if constexpr (requires { &P::operator(); }) {
    using Caller = typename DeclaringClass<decltype(&P::operator())>::Type;
    return std::is_base_of_v<Caller, Declaring> ? CallOperator::known : CallOperator::newer;
  } else {
    // Passed as an argument and not cast, because a cast would also accept a member of a derived
    // class as one of its base class.
    return requires(void (*take)(Call)) { take(&P::operator()); }
    ? CallOperator::known : CallOperator::unknown;
  }
}

/// The same for a call operator `Result operator()(const Argument&) const`.
///
/// @tparam Member the type of a pointer to the optional member
template <class P, class Member, class Result, class Argument>
constexpr CallOperator call_beside() {
  using C = typename DeclaringClass<Member>::Type;
  using Home = std::conditional_t<std::is_void_v<C>, P, C>;
  return call_operator_of<P, C, Result (Home::*)(const Argument&) const>();
}

/// Whether `Member` is the type of a pointer to a member `Result name(const Argument&) const`.
template <class Member, class Result, class Argument>
constexpr bool is_const_member() {
  using C = typename DeclaringClass<Member>::Type;
  if constexpr (std::is_void_v<C>) {
    return false;
  } else {
    return std::is_same_v<Member, Result (C::*)(const Argument&) const> ||
           std::is_same_v<Member, Result (C::*)(const Argument&) const noexcept>;
  }
}

/// Whether a policy declares `decode` in a class derived from the one that declares its call
/// operator, so that the two would give different answers.
template <class P>
constexpr bool decodes_beside_older_call() {
  if constexpr (requires {
                  &P::decode;
                  &P::operator();
                }) {
    using Decoder = typename DeclaringClass<decltype(&P::decode)>::Type;
    using Caller = typename DeclaringClass<decltype(&P::operator())>::Type;
    return !std::is_same_v<Caller, Decoder> && std::is_base_of_v<Caller, Decoder>;
  } else {
    return false;
  }
}

/// The same for `match`, which replaces the call operator.
template <class P>
constexpr bool decodes_beside_older_match() {
  if constexpr (requires {
                  &P::decode;
                  &P::match;
                }) {
    using Decoder = typename DeclaringClass<decltype(&P::decode)>::Type;
    using Matches = typename DeclaringClass<decltype(&P::match)>::Type;
    return !std::is_same_v<Matches, Decoder> && std::is_base_of_v<Matches, Decoder>;
  } else {
    return false;
  }
}

}  // namespace homolog::inline v0_1::detail
