// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A matcher that is chosen at run time, by its name.

#include <nlohmann/json.hpp>
#include <string_view>
#include <type_traits>
#include <variant>

#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/mutual_nearest.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/upsampled_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "homolog/selection/fields.hpp"

namespace homolog::inline v0_1 {

/// The matchers that the library brings. Visit the one that was chosen outside of what matches many
/// times, so that each type keeps its own fast path:
///
/// @code
/// std::visit([&](const auto& matcher) { run(homolog::Pipeline(backbone, matcher)); },
///            homolog::from_name("window-soft-argmax", {{"window_radius", 3}}));
/// @endcode
///
/// A longer variant, with matchers of one's own that have a `name` and a listed setting, goes with
/// the template: `from_name<std::variant<homolog::Argmax, MyMatcher>>("my-matcher")`.
using AnyMatcher = std::variant<Argmax, SoftArgmax, WindowSoftArgmax, KernelSoftArgmax,
                                UpsampledArgmax, CopyCoordinates>;

/// The library's matcher of this name, set up.
///
/// @param settings a JSON object of the fields that differ from their defaults
/// @throws SettingError for a name that none has, a field that the matcher does not have, or a
/// value that is not allowed
inline AnyMatcher from_name(std::string_view name, const nlohmann::ordered_json& settings =
                                                       nlohmann::ordered_json::object()) {
  return from_name<AnyMatcher>(name, settings);
}

/// Calls `use` with the matcher that was chosen, or with one that also says which of its answers
/// are mutual.
template <class Use>
auto visit_matcher(const AnyMatcher& any, bool mutual, const Use& use) {
  return std::visit(
      [&](const auto& matcher) {
        if (mutual) return use(MutualNearest<std::decay_t<decltype(matcher)>>{{}, matcher});
        return use(matcher);
      },
      any);
}

}  // namespace homolog::inline v0_1
