// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The plain supervised vision transformer (Dosovitskiy et al.) with timm's or Hugging Face's key
/// names.

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/plain_vit.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

/// The record of the plain vision transformer; inputs are normalised with mean and deviation 0.5 by
/// default, as timm's augreg and Google's weights want it. A classification head is not used, but
/// it shows that a file is neither DINO nor MAE, which have the same keys.
struct VisionTransformerFamily : detail::PlainVitFamily {
  /// The family's name in messages and in Recognized::family.
  static constexpr std::string_view name = "vision_transformer";
  /// huggingface/pytorch-image-models: vision_transformer.py.
  static constexpr PublishedSizes published[] = {
      {"vit_tiny_patch16_224", 192, 12, 3, 16, 0, false, 768, 197},
      {"vit_tiny_patch16_384", 192, 12, 3, 16, 0, false, 768, 577},
      {"vit_small_patch32_224", 384, 12, 6, 32, 0, false, 1536, 50},
      {"vit_small_patch32_384", 384, 12, 6, 32, 0, false, 1536, 145},
      {"vit_small_patch16_224", 384, 12, 6, 16, 0, false, 1536, 197},
      {"vit_small_patch16_384", 384, 12, 6, 16, 0, false, 1536, 577},
      {"vit_base_patch32_224", 768, 12, 12, 32, 0, false, 3072, 50},
      {"vit_base_patch32_384", 768, 12, 12, 32, 0, false, 3072, 145},
      {"vit_base_patch16_224", 768, 12, 12, 16, 0, false, 3072, 197},
      {"vit_base_patch16_384", 768, 12, 12, 16, 0, false, 3072, 577},
      {"vit_base_patch8_224", 768, 12, 12, 8, 0, false, 3072, 785},
      {"vit_large_patch32_384", 1024, 24, 16, 32, 0, false, 4096, 145},
      {"vit_large_patch16_224", 1024, 24, 16, 16, 0, false, 4096, 197},
      {"vit_large_patch16_384", 1024, 24, 16, 16, 0, false, 4096, 577},
      {"vit_huge_patch14_224", 1280, 32, 16, 14, 0, false, 5120, 257}};
  /// @cond
  static constexpr KeyStyle native_style = KeyStyle::timm;
  static constexpr std::array<std::string_view, 5> ignored{
      "classifier.", "dino_head.", "ibot_head.", "pooler.", "embeddings.mask_token"};

  static std::optional<Candidate> recognize(const TensorFile& plain) {
    const auto sizes = detail::recognize_plain_vit(plain, KeyStyle::timm);
    if (!sizes) return std::nullopt;
    return Candidate{*sizes, detail::has_key(plain, {"head.weight", "classifier.weight"})};
  }
  static std::vector<ExpectedTensor> unused(const Recognized& sizes) {
    return {{"head.weight", {any_size, sizes.embed_dim}}, {"head.bias", {any_size}}};
  }
  static const KeyTable* key_table(const Recognized& sizes, KeyStyle style) {
    if (style == KeyStyle::timm) return sizes.swiglu ? &detail::timm_swiglu : &detail::timm_plain;
    return PlainVitFamily::key_table(sizes, style);
  }
  static void complete(TensorFile& file, const Recognized& sizes) {
    if (sizes.style == KeyStyle::timm && sizes.position_rows > 0) {
      detail::complete_position_rows(file);
    }
    PlainVitFamily::complete(file, sizes);
  }
  static BackboneDefaults defaults(const Recognized& sizes, const TensorFile&) {
    return {half_normalization, sizes.style == KeyStyle::huggingface
                                    ? PositionInterpolation::huggingface
                                    : PositionInterpolation::hub_registers};
  }
  /// @endcond
};

/// A plain vision transformer as a Backbone policy.
using VisionTransformer = TransformerOf<VisionTransformerFamily>;

}  // namespace homolog::inline v0_1
