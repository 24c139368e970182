// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINOv2 (ViT-S, B, L, g; plain and with registers): Oquab et al., "DINOv2: Learning Robust Visual
/// Features without Supervision". Its features are numerically equal to those of the original code.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/key_table.hpp"
#include "homolog/backbones/families/plain_file.hpp"
#include "homolog/backbones/families/plain_vit.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// huggingface/transformers: models/dinov2 and models/dinov2_with_registers.
inline constexpr KeyPair dinov2_huggingface_pairs[] = {
    {"cls_token", "embeddings.cls_token"},
    {"pos_embed", "embeddings.position_embeddings"},
    {"register_tokens", "embeddings.register_tokens"},
    {"mask_token", "embeddings.mask_token"},
    {"patch_embed.proj.weight", "embeddings.patch_embeddings.projection.weight"},
    {"patch_embed.proj.bias", "embeddings.patch_embeddings.projection.bias"},
    {"blocks.#.norm1.weight", "encoder.layer.#.norm1.weight"},
    {"blocks.#.norm1.bias", "encoder.layer.#.norm1.bias"},
    {"blocks.#.attn.qkv.weight", "encoder.layer.#.attention.attention.@.weight"},
    {"blocks.#.attn.qkv.bias", "encoder.layer.#.attention.attention.@.bias"},
    {"blocks.#.attn.proj.weight", "encoder.layer.#.attention.output.dense.weight"},
    {"blocks.#.attn.proj.bias", "encoder.layer.#.attention.output.dense.bias"},
    {"blocks.#.ls1.gamma", "encoder.layer.#.layer_scale1.lambda1"},
    {"blocks.#.ls2.gamma", "encoder.layer.#.layer_scale2.lambda1"},
    {"blocks.#.norm2.weight", "encoder.layer.#.norm2.weight"},
    {"blocks.#.norm2.bias", "encoder.layer.#.norm2.bias"},
    {"blocks.#.mlp.fc1.weight", "encoder.layer.#.mlp.fc1.weight"},
    {"blocks.#.mlp.fc1.bias", "encoder.layer.#.mlp.fc1.bias"},
    {"blocks.#.mlp.fc2.weight", "encoder.layer.#.mlp.fc2.weight"},
    {"blocks.#.mlp.fc2.bias", "encoder.layer.#.mlp.fc2.bias"},
    {"blocks.#.mlp.w12.weight", "encoder.layer.#.mlp.weights_in.weight"},
    {"blocks.#.mlp.w12.bias", "encoder.layer.#.mlp.weights_in.bias"},
    {"blocks.#.mlp.w3.weight", "encoder.layer.#.mlp.weights_out.weight"},
    {"blocks.#.mlp.w3.bias", "encoder.layer.#.mlp.weights_out.bias"},
    {"norm.weight", "layernorm.weight"},
    {"norm.bias", "layernorm.bias"}};
inline constexpr KeyTable dinov2_huggingface{"encoder.layer.", dinov2_huggingface_pairs};

/// The opposite of complete_position_rows: adds the class token's position to the class token, as
/// timm stores its register models.
inline void fold_class_position(TensorFile& file) {
  const auto token = file.tensors.find("cls_token"), table = file.tensors.find("pos_embed");
  if (token == file.tensors.end() || table == file.tensors.end()) {
    throw WeightsError(text(file.name, ": no cls_token or no pos_embed to fold for timm"));
  }
  const TensorView old_token = token->second, old_table = table->second;
  const std::size_t row = old_token.bytes.size();
  if (old_token.dtype != DType::f32 || old_table.dtype != DType::f32 ||
      old_table.shape.size() != 3 || old_table.shape[1] < 2 || row % sizeof(float) != 0 ||
      old_table.bytes.size() != row * static_cast<std::size_t>(old_table.shape[1])) {
    throw WeightsError(text(file.name, ": cls_token ", dtype_name(old_token.dtype),
                            shape_text(old_token.shape), " and pos_embed ",
                            dtype_name(old_table.dtype), shape_text(old_table.shape),
                            " cannot be folded for timm, expected F32 [1, 1, D] and [1, N, D]"));
  }
  const auto sum = add_owned_tensor(file, "cls_token", DType::f32, old_token.shape);
  for (std::size_t at = 0; at < row; at += sizeof(float)) {
    float a = 0, b = 0;
    std::memcpy(&a, old_token.bytes.data() + at, sizeof(float));
    std::memcpy(&b, old_table.bytes.data() + at, sizeof(float));
    a += b;
    std::memcpy(sum.data() + at, &a, sizeof(float));
  }
  TensorView& patches = file.tensors.at("pos_embed");
  patches.shape[1] -= 1;
  patches.bytes = old_table.bytes.subspan(row);
}

}  // namespace detail

/// The record of DINOv2.
///
/// The key style decides how the position table is resized: by the hub's rule for original keys, by
/// Hugging Face's rule for its keys, and by the antialiased rule for timm keys and for models with
/// registers. A plain DINOv2 has the same keys in its own project and in timm, except for
/// `mask_token`, which only timm drops: a file without `mask_token` (and without the metadata
/// `homolog.keys`, which renaming writes) counts as timm's.
struct DinoV2Family : TransformerFamily {
  /// The family's name in messages and in Recognized::family.
  static constexpr std::string_view name = "dinov2";
  /// facebookresearch/dinov2: hub/backbones.py.
  static constexpr PublishedSizes published[] = {
      {"dinov2_vits14", 384, 12, 6, 14, 0, false, 1536, 1370},
      {"dinov2_vitb14", 768, 12, 12, 14, 0, false, 3072, 1370},
      {"dinov2_vitl14", 1024, 24, 16, 14, 0, false, 4096, 1370},
      {"dinov2_vitg14", 1536, 40, 24, 14, 0, true, 4096, 1370},
      {"dinov2_vits14_reg", 384, 12, 6, 14, 4, false, 1536, 1370},
      {"dinov2_vitb14_reg", 768, 12, 12, 14, 4, false, 3072, 1370},
      {"dinov2_vitl14_reg", 1024, 24, 16, 14, 4, false, 4096, 1370},
      {"dinov2_vitg14_reg", 1536, 40, 24, 14, 4, true, 4096, 1370}};
  /// @cond
  static constexpr std::array<std::string_view, 2> patch_keys{
      "patch_embed.proj.weight", "embeddings.patch_embeddings.projection.weight"};

  static std::optional<Candidate> recognize(const TensorFile& plain) {
    return detail::has_key(plain, {patch_keys[1]}) ? recognize_huggingface(plain)
                                                   : recognize_original(plain);
  }
  static TransformerTraits traits(const Recognized& sizes) {
    TransformerTraits traits;
    traits.layer_scale = true;
    if (sizes.swiglu) traits.mlp = {"mlp.w12", "mlp.w3"};
    return traits;
  }
  static std::vector<ExpectedTensor> unused(const Recognized& sizes) {
    return {{"mask_token", {1, sizes.embed_dim}}};
  }
  static const KeyTable* key_table(const Recognized& sizes, KeyStyle style) {
    if (style == KeyStyle::huggingface) return &detail::dinov2_huggingface;
    if (style == KeyStyle::timm) return sizes.swiglu ? &detail::timm_swiglu : &detail::timm_plain;
    return nullptr;
  }
  static void complete(TensorFile& file, const Recognized& sizes) {
    if (sizes.style == KeyStyle::timm && sizes.position_rows > 0) {
      detail::complete_position_rows(file);
    }
    if (sizes.style != KeyStyle::timm) file.metadata["homolog.keys"] = "original";
  }
  static void reduce(TensorFile& file, const Recognized& sizes, KeyStyle style) {
    file.metadata.erase("homolog.keys");
    if (style != KeyStyle::timm) return;
    file.tensors.erase("mask_token");
    if (sizes.registers > 0) detail::fold_class_position(file);
  }
  static BackboneDefaults defaults(const Recognized& sizes, const TensorFile&) {
    const bool antialiased = sizes.registers > 0 || sizes.style == KeyStyle::timm;
    return {imagenet_normalization, antialiased ? PositionInterpolation::hub_registers
                                    : sizes.style == KeyStyle::huggingface
                                        ? PositionInterpolation::huggingface
                                        : PositionInterpolation::hub};
  }

 private:
  static std::optional<Candidate> recognize_huggingface(const TensorFile& plain) {
    const KeyShapes keys(plain, detail::dinov2_huggingface.other_stem);
    if (!keys.has("encoder.layer.#.layer_scale1.lambda1")) return std::nullopt;
    Recognized result;
    result.style = KeyStyle::huggingface;
    result.embed_dim = keys.size(patch_keys[1], 4, 0);
    result.patch_size = keys.size(patch_keys[1], 4, 2);
    result.registers = keys.size("embeddings.register_tokens", 3, 1);
    result.position_rows =
        detail::canonical_position_rows(keys.size("embeddings.position_embeddings", 3, 1));
    result.swiglu = keys.has("encoder.layer.#.mlp.weights_in.weight");
    result.ffn_hidden = result.swiglu ? keys.size("encoder.layer.#.mlp.weights_out.weight", 2, 1)
                                      : keys.size("encoder.layer.#.mlp.fc1.weight", 2, 0);
    result.depth = keys.depth();
    return Candidate{result};
  }
  static std::optional<Candidate> recognize_original(const TensorFile& plain) {
    const KeyShapes keys(plain);
    auto sizes = detail::read_vit_sizes(keys);
    if (!sizes || !keys.has("blocks.#.ls1.gamma")) return std::nullopt;
    const bool packed = keys.has("blocks.#.mlp.w12.weight");
    const bool original_names = packed || keys.has("register_tokens") || keys.has("mask_token");
    const bool timm_names = (sizes->swiglu && !packed) || keys.has("reg_token");
    const auto note = plain.metadata.find("homolog.keys");
    const bool noted = note != plain.metadata.end() && note->second == "original";
    sizes->style = !timm_names && (original_names || noted) ? KeyStyle::original : KeyStyle::timm;
    return Candidate{*sizes};
  }
  /// @endcond
};

/// DINOv2 as a Backbone policy.
///
/// @code
/// homolog::DinoV2 backbone;
/// backbone.load("dinov2_vits14_pretrain.pth");   // .pth or .safetensors, original or Hugging Face
/// backbone.setting.layer = 8;
/// @endcode
using DinoV2 = TransformerOf<DinoV2Family>;

}  // namespace homolog::inline v0_1
