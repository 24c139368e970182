// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The contract of backbones. `require_backbone` stops the compilation of any other type with one
/// sentence that names the missing member.

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "homolog/core/detail/policy_members.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/input.hpp"

namespace homolog::inline v0_1 {

namespace detail {

template <class B>
concept HasPatchSize = requires(const B& backbone) {
  { backbone.patch_size() } -> std::convertible_to<int>;
};

template <class B>
concept TurnsBatchesIntoMaps = requires(const B& backbone, const InputBatch& batch) {
  { backbone(batch) } -> std::convertible_to<std::vector<FeatureMap>>;
};

template <class B>
concept NormalizationFits = requires(const B& backbone) {
  { backbone.normalization() } -> std::convertible_to<Normalization>;
};

template <class B>
concept DefaultImageSizeFits = requires(const B& backbone) {
  { backbone.default_image_size() } -> std::convertible_to<int>;
};

template <class B>
concept ForwardBytesFits = requires(const B& backbone, Size input, int pictures) {
  { backbone.forward_bytes(input, pictures) } -> std::convertible_to<std::uint64_t>;
};

template <class B>
concept TakesBytesFits = requires(const B& backbone) {
  { backbone.takes_bytes() } -> std::convertible_to<bool>;
};

template <class B>
concept TurnsBytesIntoMaps = requires(const B& backbone, const ByteBatch& batch) {
  { backbone(batch) } -> std::convertible_to<std::vector<FeatureMap>>;
};

template <class B>
constexpr bool declares_takes_bytes() {
  if constexpr (requires { &B::takes_bytes; }) {
    return std::is_same_v<typename DeclaringClass<decltype(&B::takes_bytes)>::Type, B>;
  } else {
    return false;
  }
}

/// The call operator for floats that the one for bytes must agree with.
template <class B>
constexpr CallOperator call_of_takes_bytes() {
  if constexpr (requires { &B::takes_bytes; }) {
    return call_beside<B, decltype(&B::takes_bytes), std::vector<FeatureMap>, InputBatch>();
  } else {
    return CallOperator::unknown;
  }
}

}  // namespace detail

/// A backbone needs at least these two members:
/// @code
/// struct MyBackbone {
///   int patch_size() const { return 16; }  // [px]
///   std::vector<homolog::FeatureMap> operator()(const homolog::InputBatch& batch) const;
/// };
/// @endcode
/// The call returns one FeatureMap of [height/patch, width/patch] cells per picture, at any scale
/// (the pipeline L2-normalises). Optional members: `homolog::Normalization normalization() const`
/// (default: ImageNet); `int default_image_size() const`, the input side [px] to use when the user
/// gives none (default: the largest multiple of the patch size up to 518);
/// `std::uint64_t forward_bytes(homolog::Size input, int pictures) const`, the least memory [bytes]
/// that a call with `pictures` inputs takes, so that a call that cannot fit into memory is refused
/// before it starts.
template <class B>
concept Backbone = detail::HasPatchSize<B> && detail::TurnsBatchesIntoMaps<B>;

/// Optional: a backbone that normalises its input on the device can also read bytes.
/// `bool takes_bytes() const` says whether it prefers them to floats, and
/// `std::vector<homolog::FeatureMap> operator()(const homolog::ByteBatch& batch) const` reads them.
/// Both call operators give the same features. A backbone that inherits these members but declares
/// its own call operator for floats is given floats.
template <class B>
concept ByteBackbone = Backbone<B> && detail::TakesBytesFits<B> && detail::TurnsBytesIntoMaps<B> &&
    detail::call_of_takes_bytes<B>()
== detail::CallOperator::known;

/// The mean and standard deviation with which a backbone expects its input to be normalised.
template <class B>
Normalization normalization_of(const B& backbone) {
  if constexpr (detail::NormalizationFits<B>) {
    return backbone.normalization();
  } else {
    return imagenet_normalization;
  }
}

/// The input side [px] that a backbone uses when the user gives none.
template <class B>
int default_image_size_of(const B& backbone) {
  if constexpr (detail::DefaultImageSizeFits<B>) {
    return backbone.default_image_size();
  } else {
    return detail::usual_image_size(backbone.patch_size());
  }
}

/// The least memory [bytes] that a call with `pictures` inputs of this size takes; 0 when the
/// backbone does not state it.
template <class B>
std::uint64_t forward_bytes_of(const B& backbone, Size input, int pictures) {
  if constexpr (detail::ForwardBytesFits<B>) {
    return backbone.forward_bytes(input, pictures);
  } else {
    return 0;
  }
}

/// Stops compilation with one sentence when the optional member has another form.
template <class B>
constexpr void require_default_image_size() {
  static_assert(!detail::names_default_image_size<B>() || detail::DefaultImageSizeFits<B>,
                "homolog: a Backbone's optional member is 'int default_image_size() const'");
}

/// Stops compilation with one sentence when `B` is no backbone.
template <class B>
constexpr void require_backbone() {
  static_assert(detail::HasPatchSize<B>,
                "homolog: a Backbone needs the member 'int patch_size() const'");
  static_assert(detail::TurnsBatchesIntoMaps<B>,
                "homolog: a Backbone needs the member "
                "'std::vector<FeatureMap> operator()(const InputBatch& batch) const'");
  static_assert(!detail::names_normalization<B>() || detail::NormalizationFits<B>,
                "homolog: a Backbone's optional member is 'Normalization normalization() const'");
  require_default_image_size<B>();
  static_assert(!detail::names_takes_bytes<B>() || detail::TakesBytesFits<B>,
                "homolog: a Backbone's optional member is 'bool takes_bytes() const'");
  static_assert(!detail::names_forward_bytes<B>() || detail::ForwardBytesFits<B>,
                "homolog: a Backbone's optional member is "
                "'std::uint64_t forward_bytes(Size input, int pictures) const'");
  static_assert(!detail::declares_takes_bytes<B>() || detail::TurnsBytesIntoMaps<B>,
                "homolog: a Backbone with takes_bytes() needs the member "
                "'std::vector<FeatureMap> operator()(const ByteBatch& batch) const'");
}

}  // namespace homolog::inline v0_1
