// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What the families with DINOv2's key names share: a class token, a learned or fixed table of
/// positions, a norm behind the last block.

#include <array>
#include <optional>
#include <string_view>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/key_table.hpp"
#include "homolog/backbones/families/plain_file.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1::detail {

/// huggingface/pytorch-image-models: vision_transformer.py; names not listed are the original's.
inline constexpr KeyPair timm_pairs[] = {{"register_tokens", "reg_token"}};
inline constexpr KeyTable timm_plain{"blocks.", timm_pairs};

/// The same for a packed SwiGLU, which timm gives the names of a plain MLP.
inline constexpr KeyPair timm_swiglu_pairs[] = {
    {"register_tokens", "reg_token"},
    {"blocks.#.mlp.w12.weight", "blocks.#.mlp.fc1.weight"},
    {"blocks.#.mlp.w12.bias", "blocks.#.mlp.fc1.bias"},
    {"blocks.#.mlp.w3.weight", "blocks.#.mlp.fc2.weight"},
    {"blocks.#.mlp.w3.bias", "blocks.#.mlp.fc2.bias"}};
inline constexpr KeyTable timm_swiglu{"blocks.", timm_swiglu_pairs};

/// huggingface/transformers: models/vit and models/vit_mae.
inline constexpr KeyPair vit_huggingface_pairs[] = {
    {"cls_token", "embeddings.cls_token"},
    {"pos_embed", "embeddings.position_embeddings"},
    {"patch_embed.proj.weight", "embeddings.patch_embeddings.projection.weight"},
    {"patch_embed.proj.bias", "embeddings.patch_embeddings.projection.bias"},
    {"blocks.#.norm1.weight", "encoder.layer.#.layernorm_before.weight"},
    {"blocks.#.norm1.bias", "encoder.layer.#.layernorm_before.bias"},
    {"blocks.#.attn.qkv.weight", "encoder.layer.#.attention.attention.@.weight"},
    {"blocks.#.attn.qkv.bias", "encoder.layer.#.attention.attention.@.bias"},
    {"blocks.#.attn.proj.weight", "encoder.layer.#.attention.output.dense.weight"},
    {"blocks.#.attn.proj.bias", "encoder.layer.#.attention.output.dense.bias"},
    {"blocks.#.norm2.weight", "encoder.layer.#.layernorm_after.weight"},
    {"blocks.#.norm2.bias", "encoder.layer.#.layernorm_after.bias"},
    {"blocks.#.mlp.fc1.weight", "encoder.layer.#.intermediate.dense.weight"},
    {"blocks.#.mlp.fc1.bias", "encoder.layer.#.intermediate.dense.bias"},
    {"blocks.#.mlp.fc2.weight", "encoder.layer.#.output.dense.weight"},
    {"blocks.#.mlp.fc2.bias", "encoder.layer.#.output.dense.bias"},
    {"norm.weight", "layernorm.weight"},
    {"norm.bias", "layernorm.bias"},
    {"head.weight", "classifier.weight"},
    {"head.bias", "classifier.bias"}};
inline constexpr KeyTable vit_huggingface{"encoder.layer.", vit_huggingface_pairs};

/// Rows of the canonical table 1 + n * n nearest to a file's; a table without the class token's
/// row is a square number.
int canonical_position_rows(int rows);

/// Adds a row of zeros to a position table that lacks the class token's row: timm has already added
/// that row to the class token.
void complete_position_rows(TensorFile& file);

/// Writes the epsilon of the LayerNorms into the metadata of a file that is renamed to `style` when
/// it differs from that style's epsilon, so that the features do not change.
void state_epsilon(TensorFile& file, const Recognized& sizes, KeyStyle style);

/// Reads the sizes from the names that DINOv2, plain vision transformers and timm's versions of
/// both share. Returns nothing when the keys belong to another family: SAM has relative positions
/// or a neck, DINOv3 has storage tokens or periods, and timm's EVA has gammas. A gated MLP is
/// stored as one matrix, which in timm has the name of a plain MLP's matrix.
std::optional<Recognized> read_vit_sizes(const KeyShapes& keys);

/// Recognises a plain vision transformer with `original` or Hugging Face's names: it has no
/// LayerScale, and no registers other than timm's.
///
/// @param original the style that names other than Hugging Face's count as
std::optional<Recognized> recognize_plain_vit(const TensorFile& plain, KeyStyle original);

/// What the records of plain vision transformers have in common.
struct PlainVitFamily : TransformerFamily {
  static constexpr std::array<std::string_view, 2> patch_keys{
      "patch_embed.proj.weight", "embeddings.patch_embeddings.projection.weight"};
  static constexpr bool shares_keys = true;

  static TransformerTraits traits(const Recognized& sizes) {
    TransformerTraits traits;
    if (sizes.norm_epsilon > 0) traits.norm_epsilon = sizes.norm_epsilon;
    if (sizes.swiglu) traits.mlp = {"mlp.w12", "mlp.w3"};
    return traits;
  }
  /// Hugging Face's models have no registers and no gated MLPs.
  static const KeyTable* key_table(const Recognized& sizes, KeyStyle style) {
    const bool fits = style == KeyStyle::huggingface && !sizes.swiglu && sizes.registers == 0;
    return fits ? &vit_huggingface : nullptr;
  }
  static void complete(TensorFile& file, const Recognized& sizes) {
    state_epsilon(file, sizes, KeyStyle::original);
  }
  static void reduce(TensorFile& file, const Recognized& sizes, KeyStyle style) {
    state_epsilon(file, sizes, style);
  }
};

}  // namespace homolog::inline v0_1::detail

#ifndef HOMOLOG_COMPILED
#include "homolog/backbones/families/detail/plain_vit_inl.hpp"
#endif
