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

/// One of some policies that have nothing but a call operator, and perhaps a name, fields or
/// `identity()`: a training's tuning, loss or schedule. It stands in their place:
/// `OneOf<UnfreezeLast, Lora> tuning{Lora{}}`.
///
/// Where speed or more members depend on the type, as with a matcher, visit `policy` outside the
/// driver instead.
template <class... P>
struct OneOf {
  std::variant<P...> policy;  ///< the first one by default

  /// Calls the policy that was chosen.
  template <class... A>
  requires(std::invocable<const P&, A...>&&...)
      std::common_type_t<std::invoke_result_t<const P&, A...>...>
  operator()(A&&... arguments) const {
    using Result = std::common_type_t<std::invoke_result_t<const P&, A...>...>;
    return std::visit(
        [&](const auto& chosen) -> Result { return chosen(std::forward<A>(arguments)...); },
        policy);
  }
};

}  // namespace homolog::inline v0_1
