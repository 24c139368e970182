// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The contract of feature sources, which give the features of a data set's pictures without a
/// backbone: from files that another program wrote, from a cache, or from stored tokens.

#include <concepts>
#include <span>
#include <string>
#include <vector>

#include "homolog/core/backbone_concept.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/transforms.hpp"

namespace homolog::inline v0_1 {

/// A distinct picture of a data set.
struct PictureId {
  std::string path;          ///< of its file, as the data set names it
  bool flip = false;         ///< mirrored left to right
  FrameTransform transform;  ///< between its pixels and the grid that its map must have
};

/// A feature source needs at least these two members:
/// @code
/// struct MySource {
///   int patch_size() const { return 16; }  // [px]
///   std::vector<homolog::FeatureMap> operator()(std::span<const homolog::PictureId>) const;
/// };
/// @endcode
/// It takes the place of the Backbone in a Pipeline: `Pipeline<MySource, Argmax>`. Each call asks
/// for the maps of pictures whose inputs have one size, and returns one map per picture, of
/// `transform.grid` cells and at any scale. Optional: `int default_image_size() const`, as in a
/// Backbone.
template <class S>
concept FeatureSource = detail::HasPatchSize<S> &&
    requires(const S& source, std::span<const PictureId> pictures) {
  { source(pictures) } -> std::convertible_to<std::vector<FeatureMap>>;
};

namespace detail {

/// Whether a call takes pictures as a FeatureSource's does, const or not and whatever it returns.
template <class S>
concept CallTakesPictures = requires(S& source, std::span<const PictureId> pictures) {
  source(pictures);
};

}  // namespace detail

/// Stops compilation with one sentence when `S` is no feature source.
template <class S>
constexpr void require_feature_source() {
  static_assert(detail::HasPatchSize<S>,
                "homolog: a FeatureSource needs the member 'int patch_size() const'");
  static_assert(FeatureSource<S>,
                "homolog: a FeatureSource needs the member 'std::vector<FeatureMap> "
                "operator()(std::span<const PictureId> pictures) const'");
}

}  // namespace homolog::inline v0_1
