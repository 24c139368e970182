// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINOv3's vision transformers (S, S+, B, L, L+, H+, 7B): Simeoni et al., "DINOv3". Their features
/// are numerically equal to those of the original code in evaluation mode.

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/backbones/families/dinov3_kept.hpp"
#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/key_table.hpp"
#include "homolog/backbones/families/plain_file.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// huggingface/transformers: models/dinov3_vit. For tensors that have no name there, see
/// dinov3_kept.hpp.
inline constexpr KeyPair dinov3_huggingface_pairs[] = {
    {"cls_token", "embeddings.cls_token"},
    {"storage_tokens", "embeddings.register_tokens"},
    {"mask_token", "embeddings.mask_token"},
    {"patch_embed.proj.weight", "embeddings.patch_embeddings.weight"},
    {"patch_embed.proj.bias", "embeddings.patch_embeddings.bias"},
    {"blocks.#.norm1.weight", "layer.#.norm1.weight"},
    {"blocks.#.norm1.bias", "layer.#.norm1.bias"},
    {"blocks.#.attn.qkv.weight", "layer.#.attention.@.weight"},
    {"blocks.#.attn.qkv.bias", "layer.#.attention.@.bias"},
    {"blocks.#.attn.proj.weight", "layer.#.attention.o_proj.weight"},
    {"blocks.#.attn.proj.bias", "layer.#.attention.o_proj.bias"},
    {"blocks.#.ls1.gamma", "layer.#.layer_scale1.lambda1"},
    {"blocks.#.ls2.gamma", "layer.#.layer_scale2.lambda1"},
    {"blocks.#.norm2.weight", "layer.#.norm2.weight"},
    {"blocks.#.norm2.bias", "layer.#.norm2.bias"},
    {"blocks.#.mlp.fc1.weight", "layer.#.mlp.up_proj.weight"},
    {"blocks.#.mlp.fc1.bias", "layer.#.mlp.up_proj.bias"},
    {"blocks.#.mlp.fc2.weight", "layer.#.mlp.down_proj.weight"},
    {"blocks.#.mlp.fc2.bias", "layer.#.mlp.down_proj.bias"}};
inline constexpr KeyTable dinov3_huggingface{
    "layer.", dinov3_huggingface_pairs, {"q_proj", "k_proj", "v_proj"}, /*key_bias=*/false};

/// The same for a SwiGLU; this style gives its third matrix the name of a plain MLP's second.
inline constexpr auto dinov3_huggingface_swiglu_pairs = [] {
  std::array<KeyPair, std::size(dinov3_huggingface_pairs) + 2> pairs{};
  std::size_t count = 0;
  for (const KeyPair& pair : dinov3_huggingface_pairs) {
    if (pair.original.find(".mlp.") == std::string_view::npos) pairs[count++] = pair;
  }
  for (const KeyPair& pair : {KeyPair{"blocks.#.mlp.w1.weight", "layer.#.mlp.gate_proj.weight"},
                              {"blocks.#.mlp.w1.bias", "layer.#.mlp.gate_proj.bias"},
                              {"blocks.#.mlp.w2.weight", "layer.#.mlp.up_proj.weight"},
                              {"blocks.#.mlp.w2.bias", "layer.#.mlp.up_proj.bias"},
                              {"blocks.#.mlp.w3.weight", "layer.#.mlp.down_proj.weight"},
                              {"blocks.#.mlp.w3.bias", "layer.#.mlp.down_proj.bias"}}) {
    pairs[count++] = pair;
  }
  return pairs;
}();
inline constexpr KeyTable dinov3_huggingface_swiglu{
    "layer.", dinov3_huggingface_swiglu_pairs, {"q_proj", "k_proj", "v_proj"}, /*key_bias=*/false};

/// huggingface/pytorch-image-models: eva.py; names not listed are the original's.
inline constexpr KeyPair dinov3_timm_pairs[] = {
    {"storage_tokens", "reg_token"},
    {"blocks.#.attn.qkv.bias", "blocks.#.attn.@_bias"},
    {"blocks.#.ls1.gamma", "blocks.#.gamma_1"},
    {"blocks.#.ls2.gamma", "blocks.#.gamma_2"},
    {"blocks.#.mlp.w1.weight", "blocks.#.mlp.fc1_g.weight"},
    {"blocks.#.mlp.w1.bias", "blocks.#.mlp.fc1_g.bias"},
    {"blocks.#.mlp.w2.weight", "blocks.#.mlp.fc1_x.weight"},
    {"blocks.#.mlp.w2.bias", "blocks.#.mlp.fc1_x.bias"}};
inline constexpr KeyTable dinov3_timm{
    "blocks.", dinov3_timm_pairs, {"q", "k", "v"}, /*key_bias=*/false};

/// The same for a SwiGLU; this style gives its third matrix the name of a plain MLP's second.
inline constexpr auto dinov3_timm_swiglu_pairs = [] {
  std::array<KeyPair, std::size(dinov3_timm_pairs) + 2> pairs{};
  std::copy(std::begin(dinov3_timm_pairs), std::end(dinov3_timm_pairs), pairs.begin());
  pairs[pairs.size() - 2] = {"blocks.#.mlp.w3.weight", "blocks.#.mlp.fc2.weight"};
  pairs[pairs.size() - 1] = {"blocks.#.mlp.w3.bias", "blocks.#.mlp.fc2.bias"};
  return pairs;
}();
inline constexpr KeyTable dinov3_timm_swiglu{
    "blocks.", dinov3_timm_swiglu_pairs, {"q", "k", "v"}, /*key_bias=*/false};

}  // namespace detail

/// The record of DINOv3. The model has rotary positions and register ("storage") tokens, which
/// never enter the patch map, and takes inputs of any size (pixels beyond the last whole patch are
/// ignored).
///
/// The rotary periods are read from the file when it holds them (original `.pth`: rounded to
/// bfloat16); otherwise they are computed in float32, as Hugging Face and timm do. Biases of
/// queries and values are multiplied by the file's mask. Inputs are normalised with ImageNet's
/// statistics. A satellite ViT-L is recognised by an unused second norm, which only files with
/// original keys hold, and gets the satellite statistics. For its other files, and for a 7B trained
/// on satellite images, set `input_normalization = satellite_normalization` after loading.
struct DinoV3Family : TransformerFamily {
  /// The family's name in messages and in Recognized::family.
  static constexpr std::string_view name = "dinov3";
  /// facebookresearch/dinov3: hub/backbones.py.
  static constexpr PublishedSizes published[] = {
      {"dinov3_vits16", 384, 12, 6, 16, 4, false, 1536, 0},
      {"dinov3_vits16plus", 384, 12, 6, 16, 4, true, 1536, 0},
      {"dinov3_vitb16", 768, 12, 12, 16, 4, false, 3072, 0},
      {"dinov3_vitl16", 1024, 24, 16, 16, 4, false, 4096, 0},
      {"dinov3_vitl16plus", 1024, 24, 16, 16, 4, true, 4096, 0},
      {"dinov3_vith16plus", 1280, 32, 20, 16, 4, true, 5120, 0},
      {"dinov3_vit7b16", 4096, 40, 32, 16, 4, true, 8192, 0, false}};
  /// @cond
  static constexpr std::array<std::string_view, 2> patch_keys{"patch_embed.proj.weight",
                                                              "embeddings.patch_embeddings.weight"};

  static std::optional<Candidate> recognize(const TensorFile& plain) {
    return detail::has_key(plain, {patch_keys[1]}) ? recognize_huggingface(plain)
                                                   : recognize_original(plain);
  }
  static TransformerTraits traits(const Recognized& sizes) {
    TransformerTraits traits;
    traits.layer_scale = traits.rotary = traits.key_bias_mask = traits.crops_input = true;
    traits.norm_epsilon = 1e-5;
    traits.register_key = "storage_tokens";
    if (sizes.swiglu) traits.mlp = {"mlp.w2", "mlp.w3", "mlp.w1"};
    return traits;
  }
  /// `mask_token` and `local_cls_norm` do not influence features; a file without periods gets the
  /// default periods.
  static std::vector<ExpectedTensor> unused(const Recognized& sizes) {
    return {{"mask_token", {1, sizes.embed_dim}},
            {std::string(detail::rope_periods_key), {sizes.embed_dim / sizes.heads / 4}},
            {"local_cls_norm.weight", {sizes.embed_dim}},
            {"local_cls_norm.bias", {sizes.embed_dim}}};
  }
  static const KeyTable* key_table(const Recognized& sizes, KeyStyle style) {
    if (style == KeyStyle::huggingface) {
      return sizes.swiglu ? &detail::dinov3_huggingface_swiglu : &detail::dinov3_huggingface;
    }
    if (style == KeyStyle::timm) {
      return sizes.swiglu ? &detail::dinov3_timm_swiglu : &detail::dinov3_timm;
    }
    return nullptr;
  }
  static void complete(TensorFile& file, const Recognized& sizes) {
    if (sizes.style != KeyStyle::original) detail::complete_dinov3(file, sizes);
  }
  static void reduce(TensorFile& file, const Recognized& sizes, KeyStyle style) {
    if (style == KeyStyle::timm) file.tensors.erase("mask_token");
    detail::reduce_dinov3(file, sizes, /*keep=*/style == KeyStyle::huggingface);
    detail::state_heads(file, sizes);
    if (style == KeyStyle::huggingface) {
      detail::reshape_mask_token(file, {1, 1, sizes.embed_dim});
    } else {
      detail::drop_zero_biases(file);
    }
  }
  static BackboneDefaults defaults(const Recognized& sizes, const TensorFile& original) {
    const bool satellite =
        sizes.variant == "dinov3_vitl16" && original.tensors.contains("local_cls_norm.weight");
    return {satellite ? satellite_normalization : imagenet_normalization,
            PositionInterpolation::hub};  // unused, as there is no table
  }

 private:
  static std::optional<Candidate> recognize_huggingface(const TensorFile& plain) {
    const KeyShapes keys(plain, detail::dinov3_huggingface.other_stem);
    if (!keys.has("layer.#.layer_scale1.lambda1")) return std::nullopt;
    Recognized result;
    result.style = KeyStyle::huggingface;
    result.embed_dim = keys.size(patch_keys[1], 4, 0);
    result.patch_size = keys.size(patch_keys[1], 4, 2);
    result.registers = keys.size("embeddings.register_tokens", 3, 1);
    result.swiglu = keys.has("layer.#.mlp.gate_proj.weight");
    result.ffn_hidden = keys.size("layer.#.mlp.up_proj.weight", 2, 0);
    result.qkv_bias = keys.has("layer.#.attention.q_proj.bias");
    result.depth = keys.depth();
    return Candidate{result};
  }
  /// Original and timm keys, which are the same but for the MLP of a block, the register tokens,
  /// the LayerScale gammas and the biases of queries and values.
  static std::optional<Candidate> recognize_original(const TensorFile& plain) {
    const KeyShapes keys(plain);
    const bool timm = keys.has("blocks.#.gamma_1");
    if (!keys.has("blocks.#.attn.qkv.weight") || keys.has("blocks.#.attn.rel_pos_h") ||
        keys.has("neck.0.weight") || keys.has("pos_embed") ||
        !keys.has(timm ? "reg_token" : "storage_tokens")) {
      return std::nullopt;
    }
    Recognized result;
    result.style = timm ? KeyStyle::timm : KeyStyle::original;
    result.embed_dim = keys.size(patch_keys[0], 4, 0);
    result.patch_size = keys.size(patch_keys[0], 4, 2);
    result.registers = keys.size(timm ? "reg_token" : "storage_tokens", 3, 1);
    const char* gate = timm ? "blocks.#.mlp.fc1_g.weight" : "blocks.#.mlp.w1.weight";
    result.swiglu = keys.has(gate);
    result.ffn_hidden = keys.size(result.swiglu ? gate : "blocks.#.mlp.fc1.weight", 2, 0);
    result.qkv_bias = keys.has(timm ? "blocks.#.attn.q_bias" : "blocks.#.attn.qkv.bias");
    const int head_dim = 4 * keys.size(detail::rope_periods_key, 1, 0);
    if (head_dim > 0 && result.embed_dim % head_dim == 0)
      result.heads = result.embed_dim / head_dim;
    result.depth = keys.depth();
    return Candidate{result};
  }
  /// @endcond
};

/// DINOv3's vision transformer as a Backbone policy.
///
/// @code
/// homolog::DinoV3 backbone;
/// backbone.load("dinov3_vitl16_pretrain_lvd1689m-8aa4cbdd.pth");  // or .safetensors
/// @endcode
using DinoV3 = TransformerOf<DinoV3Family>;

}  // namespace homolog::inline v0_1
