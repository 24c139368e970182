// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINO (ViT-S and B with patches of 8 and 16): Caron et al., "Emerging Properties in
/// Self-Supervised Vision Transformers". Its features are numerically equal to those of the
/// original code.

#include <array>
#include <optional>
#include <string_view>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/plain_vit.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

/// The record of DINO, whose files have the keys and shapes of a plain vision transformer without a
/// classification head. Training checkpoints, which hold DINO's own head, are recognised by it. For
/// a backbone without a head whose size a supervised model has too, the user has to say that it is
/// DINO, by the type homolog::Dino or by a variant's name.
struct DinoFamily : detail::PlainVitFamily {
  /// The family's name in messages and in Recognized::family.
  static constexpr std::string_view name = "dino";
  /// facebookresearch/dino: hubconf.py.
  static constexpr PublishedSizes published[] = {
      {"dino_vits16", 384, 12, 6, 16, 0, false, 1536, 197},
      {"dino_vits8", 384, 12, 6, 8, 0, false, 1536, 785},
      {"dino_vitb16", 768, 12, 12, 16, 0, false, 3072, 197},
      {"dino_vitb8", 768, 12, 12, 8, 0, false, 3072, 785}};
  /// @cond
  static constexpr std::array<std::string_view, 3> ignored{"head.", "pooler.",
                                                           "embeddings.mask_token"};
  static constexpr bool only_published = true;

  static std::optional<Candidate> recognize(const TensorFile& plain) {
    const auto sizes = detail::recognize_plain_vit(plain, KeyStyle::original);
    if (!sizes) return std::nullopt;
    return Candidate{
        *sizes, detail::has_key(plain, {"head.last_layer.weight_g", "head.last_layer.weight_v"})};
  }
  static BackboneDefaults defaults(const Recognized& sizes, const TensorFile&) {
    return {imagenet_normalization, sizes.style == KeyStyle::huggingface
                                        ? PositionInterpolation::huggingface
                                        : PositionInterpolation::hub};
  }
  /// @endcond
};

/// DINO as a Backbone policy.
///
/// @code
/// homolog::Dino backbone;
/// backbone.load("dino_deitsmall8_pretrain.pth");  // or Hugging Face's model.safetensors
/// @endcode
using Dino = TransformerOf<DinoFamily>;

}  // namespace homolog::inline v0_1
