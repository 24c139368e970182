// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The list of the families that the library knows, which recognising, loading, renaming and the
/// tool go through. Another list may be given to each of them.

#include <string>
#include <string_view>
#include <type_traits>

#include "homolog/backbones/families/dino.hpp"
#include "homolog/backbones/families/dinov2.hpp"
#include "homolog/backbones/families/dinov3.hpp"
#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/mae.hpp"
#include "homolog/backbones/families/sam.hpp"
#include "homolog/backbones/families/vision_transformer.hpp"
#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

/// A list of families; `StockFamilies::with<MyFamily>` is a longer one.
template <class... Family>
struct Families {
  static_assert((FamilyRecord<Family> && ...),
                "homolog: the record of a family derives from TransformerFamily and has `static "
                "constexpr std::string_view name`, `published` and `static "
                "std::optional<Candidate> recognize(const TensorFile& plain)`");

  /// This list with more families appended.
  template <class... More>
  using with = Families<Family..., More...>;

  /// Whether a family is in the list.
  template <class One>
  static constexpr bool contains = (std::is_same_v<One, Family> || ...);

  /// Calls `visit(Family{})` with each record, in the list's order.
  template <class Visit>
  static void for_each(const Visit& visit) {
    (visit(Family{}), ...);
  }

  /// What `visit(Family{})` returns for the record of a name.
  ///
  /// @throws WeightsError when no family of the list has that name
  template <class Visit>
  static auto visit(std::string_view name, const Visit& visit) {
    return visit_first<Visit, Family...>(name, visit);
  }

 private:
  template <class Visit, class First, class... Rest>
  static auto visit_first(std::string_view name, const Visit& visit) {
    if (First::name == name) return visit(First{});
    if constexpr (sizeof...(Rest) > 0) {
      return visit_first<Visit, Rest...>(name, visit);
    } else {
      throw WeightsError(detail::text("no family of backbones is named '", name, "'"));
    }
  }
};

/// The families that the library includes. To add one, add a file to this folder and its name to
/// this list.
using StockFamilies =
    Families<DinoV2Family, DinoV3Family, SamFamily, VisionTransformerFamily, DinoFamily, MaeFamily>;

/// The family that published a variant, by the variant's name; empty when none did.
template <class List = StockFamilies>
std::string_view family_of(std::string_view variant) {
  std::string_view found;
  List::for_each([&]<class Family>(Family) {
    for (const PublishedSizes& sizes : Family::published) {
      if (sizes.variant == variant) found = Family::name;
    }
  });
  return found;
}

/// The published variants of all families, as `a, b, c`.
template <class List = StockFamilies>
std::string variant_names() {
  std::string names;
  List::for_each([&]<class Family>(Family) {
    for (const PublishedSizes& sizes : Family::published) {
      names += (names.empty() ? "" : ", ") + std::string(sizes.variant);
    }
  });
  return names;
}

}  // namespace homolog::inline v0_1
