// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// SAM's image encoder (ViT-B, L, H): Kirillov et al., "Segment Anything". Its features are
/// numerically equal to those of the original code.

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/key_table.hpp"
#include "homolog/backbones/families/plain_file.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// huggingface/transformers: models/sam, the vision encoder; names not listed are the original's.
inline constexpr KeyPair sam_huggingface_pairs[] = {
    {"patch_embed.proj.weight", "patch_embed.projection.weight"},
    {"patch_embed.proj.bias", "patch_embed.projection.bias"},
    {"pos_embed", "pos_embed"},
    {"blocks.#.norm1.weight", "layers.#.layer_norm1.weight"},
    {"blocks.#.norm1.bias", "layers.#.layer_norm1.bias"},
    {"blocks.#.attn.qkv.weight", "layers.#.attn.qkv.weight"},
    {"blocks.#.attn.qkv.bias", "layers.#.attn.qkv.bias"},
    {"blocks.#.attn.proj.weight", "layers.#.attn.proj.weight"},
    {"blocks.#.attn.proj.bias", "layers.#.attn.proj.bias"},
    {"blocks.#.attn.rel_pos_h", "layers.#.attn.rel_pos_h"},
    {"blocks.#.attn.rel_pos_w", "layers.#.attn.rel_pos_w"},
    {"blocks.#.norm2.weight", "layers.#.layer_norm2.weight"},
    {"blocks.#.norm2.bias", "layers.#.layer_norm2.bias"},
    {"blocks.#.mlp.lin1.weight", "layers.#.mlp.lin1.weight"},
    {"blocks.#.mlp.lin1.bias", "layers.#.mlp.lin1.bias"},
    {"blocks.#.mlp.lin2.weight", "layers.#.mlp.lin2.weight"},
    {"blocks.#.mlp.lin2.bias", "layers.#.mlp.lin2.bias"},
    {"neck.0.weight", "neck.conv1.weight"},
    {"neck.1.weight", "neck.layer_norm1.weight"},
    {"neck.1.bias", "neck.layer_norm1.bias"},
    {"neck.2.weight", "neck.conv2.weight"},
    {"neck.3.weight", "neck.layer_norm2.weight"},
    {"neck.3.bias", "neck.layer_norm2.bias"}};
inline constexpr KeyTable sam_huggingface{
    "layers.", sam_huggingface_pairs, {}, true, "vision_encoder."};

/// huggingface/pytorch-image-models: vision_transformer_sam.py; names not listed are the
/// original's.
inline constexpr KeyPair sam_timm_pairs[] = {
    {"blocks.#.mlp.lin1.weight", "blocks.#.mlp.fc1.weight"},
    {"blocks.#.mlp.lin1.bias", "blocks.#.mlp.fc1.bias"},
    {"blocks.#.mlp.lin2.weight", "blocks.#.mlp.fc2.weight"},
    {"blocks.#.mlp.lin2.bias", "blocks.#.mlp.fc2.bias"}};
inline constexpr KeyTable sam_timm{"blocks.", sam_timm_pairs};

}  // namespace detail

/// The record of SAM's image encoder. The other parts of a SAM file (prompt encoder, mask decoder)
/// are ignored. Inputs of other sizes than 1024 x 1024 resize the position table (bicubic,
/// antialiased, as timm does) and the relative positions (linear, as the original does).
struct SamFamily : TransformerFamily {
  /// The family's name in messages and in Recognized::family.
  static constexpr std::string_view name = "sam";
  /// facebookresearch/segment-anything: build_sam.py.
  static constexpr PublishedSizes published[] = {
      {"sam_vit_b", 768, 12, 12, 16, 0, false, 3072, 64, true, 14, 256},
      {"sam_vit_l", 1024, 24, 16, 16, 0, false, 4096, 64, true, 14, 256},
      {"sam_vit_h", 1280, 32, 16, 16, 0, false, 5120, 64, true, 14, 256}};
  /// @cond
  static constexpr std::array<std::string_view, 2> patch_keys{"patch_embed.proj.weight",
                                                              "patch_embed.projection.weight"};
  /// The rest of a SAM beside its image encoder, in the original's and in Hugging Face's files.
  static constexpr std::array<std::string_view, 5> ignored{
      "prompt_encoder.", "mask_decoder.", "shared_image_embedding.", "pixel_mean", "pixel_std"};

  static std::optional<Candidate> recognize(const TensorFile& plain) {
    const bool huggingface = detail::has_key(plain, {patch_keys[1]});
    const std::string stem(huggingface ? detail::sam_huggingface.other_stem
                                       : detail::original_stem);
    const KeyShapes keys(plain, stem);
    const bool has_neck = keys.has(huggingface ? "neck.conv1.weight" : "neck.0.weight");
    if ((!keys.has(stem + "#.attn.rel_pos_h") && !has_neck) || keys.has("cls_token") ||
        (!huggingface && !keys.has("blocks.#.attn.qkv.weight"))) {
      return std::nullopt;
    }
    const bool timm = !huggingface && keys.has("blocks.#.mlp.fc1.weight");
    Recognized result;
    result.style = huggingface ? KeyStyle::huggingface : timm ? KeyStyle::timm : KeyStyle::original;
    result.embed_dim = keys.size(patch_keys[huggingface ? 1 : 0], 4, 0);
    result.patch_size = keys.size(patch_keys[huggingface ? 1 : 0], 4, 2);
    result.position_rows = keys.size("pos_embed", 4, 1);
    result.ffn_hidden = keys.size(stem + (timm ? "#.mlp.fc1.weight" : "#.mlp.lin1.weight"), 2, 0);
    result.neck_channels = keys.size(huggingface ? "neck.conv1.weight" : "neck.0.weight", 4, 0);
    const int head_dim = keys.size(stem + "#.attn.rel_pos_h", 2, 1);
    if (head_dim > 0 && result.embed_dim % head_dim == 0)
      result.heads = result.embed_dim / head_dim;
    result.depth = keys.depth();
    tell_windows(plain, stem, result);
    return Candidate{result};
  }
  static TransformerTraits traits(const Recognized&) {
    TransformerTraits traits;
    traits.class_token = false;
    traits.relative_positions = traits.square_positions = traits.neck = true;
    traits.mlp = {"mlp.lin1", "mlp.lin2"};
    return traits;
  }
  static const KeyTable* key_table(const Recognized&, KeyStyle style) {
    if (style == KeyStyle::huggingface) return &detail::sam_huggingface;
    return style == KeyStyle::timm ? &detail::sam_timm : nullptr;
  }
  /// Keys of the image encoder begin with `image_encoder.` in the published files.
  static std::string published_key(const std::string& key) {
    const auto pattern = detail::key_pattern(key, detail::original_stem).pattern;
    const bool encoder = std::any_of(
        std::begin(detail::sam_huggingface_pairs), std::end(detail::sam_huggingface_pairs),
        [&pattern](const auto& pair) { return pair.original == pattern; });
    return (encoder ? "image_encoder." : "") + key;
  }
  /// The input side is the one that the position table was made for.
  static BackboneDefaults defaults(const Recognized& sizes, const TensorFile&) {
    const int side = sizes.position_rows * sizes.patch_size;
    return {imagenet_normalization, PositionInterpolation::hub_registers, side > 0 ? side : 1024};
  }

 private:
  /// A block attends to the whole grid when its table spans it; the tables of the other blocks give
  /// the size of the window.
  static void tell_windows(const TensorFile& plain, const std::string& stem, Recognized& result) {
    for (int i = 0; i < result.depth; ++i) {
      const auto table = plain.tensors.find(stem + std::to_string(i) + ".attn.rel_pos_h");
      if (table == plain.tensors.end() || table->second.shape.size() != 2) continue;
      const auto rows = table->second.shape[0];
      if (rows == 2 * result.position_rows - 1) {
        result.global_blocks.push_back(i);
      } else if (result.window == 0 && rows > 0 && rows % 2 == 1 && rows < 1 << 20) {
        result.window = static_cast<int>(rows + 1) / 2;
      }
    }
    // Tables of even length fit no window; the audit then compares them with a window of 1 cell.
    const auto global = static_cast<int>(result.global_blocks.size());
    if (result.window == 0 && global < result.depth) result.window = 1;
  }
  /// @endcond
};

/// SAM's image encoder as a Backbone policy: its feature is the neck's map of 256 channels, or the
/// raw output of a block when `setting.layer` names one before the last (or `setting.final_norm` is
/// off).
///
/// @code
/// homolog::Pipeline<homolog::Sam> pipeline;
/// pipeline.backbone.load("sam_vit_l_0b3195.pth");
/// pipeline.setting.resize = homolog::Resize::longest_side;  // SAM's own; default: squash
/// pipeline.setting.filter = homolog::ResizeFilter::bilinear;
/// @endcode
using Sam = TransformerOf<SamFamily>;

}  // namespace homolog::inline v0_1
