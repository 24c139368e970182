// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A policy that is chosen at run time among some that are known when the program is compiled.

#include <concepts>
#include <type_traits>
#include <utility>
#include <variant>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

/// A policy of a training that says what a resumed run must have in common.
template <class P>
concept HasIdentity = requires(const P& policy) { policy.identity(); };

/// One of some policies, in whose place it stands: `OneOf<UnfreezeLast, Lora> tuning{Lora{}}`.
///
/// It calls the one that it holds. Where speed depends on the type, as that of a matcher does,
/// visit `policy` outside the driver instead.
template <class... P>
struct OneOf {
  std::variant<P...> policy;  ///< the first one by default

  /// The first policy.
  OneOf() = default;
  /// Holds the given one.
  template <class Q>
  requires(std::same_as<std::remove_cvref_t<Q>, P> || ...) OneOf(Q&& chosen)
      : policy(std::forward<Q>(chosen)) {}  // stands for it: no conversion to write

  /// Calls the policy that was chosen.
  template <class... A>
  requires(std::invocable<const P&, A...>&&...) auto operator()(A&&... arguments) const {
    return std::visit([&](const auto& chosen) { return chosen(std::forward<A>(arguments)...); },
                      policy);
  }

  /// What a resumed training must have in common, as the chosen one says.
  auto identity() const
    requires(HasIdentity<P> && ...)
  {
    return std::visit([](const auto& chosen) { return chosen.identity(); }, policy);
  }
};

}  // namespace homolog::inline v0_1
