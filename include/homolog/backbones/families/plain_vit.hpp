// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What the families with DINOv2's key names share: a class token, a learned or fixed table of
/// positions, a norm behind the last block.

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/key_table.hpp"
#include "homolog/backbones/families/plain_file.hpp"
#include "homolog/core/errors.hpp"
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
inline int canonical_position_rows(int rows) {
  if (rows <= 0) return 0;
  const auto side = static_cast<int>(std::lround(std::sqrt(static_cast<double>(rows))));
  if (side * side == rows && rows > 1) return rows + 1;
  const auto inner = static_cast<int>(std::lround(std::sqrt(static_cast<double>(rows - 1))));
  return 1 + inner * inner;
}

/// Adds a row of zeros to a position table that lacks the class token's row: timm has already added
/// that row to the class token.
inline void complete_position_rows(TensorFile& file) {
  const auto found = file.tensors.find("pos_embed");
  if (found == file.tensors.end()) return;
  const TensorView table = found->second;
  if (table.shape.size() != 3 || table.shape[0] != 1 || table.shape[1] < 2 ||
      table.shape[1] > 1 << 20 || table.shape[2] < 1) {
    return;
  }
  if (canonical_position_rows(static_cast<int>(table.shape[1])) != table.shape[1] + 1) return;
  const auto complete =
      add_owned_tensor(file, "pos_embed", table.dtype, {1, table.shape[1] + 1, table.shape[2]});
  std::copy(table.bytes.begin(), table.bytes.end(),
            complete.end() - static_cast<std::ptrdiff_t>(table.bytes.size()));
}

/// The epsilon of the LayerNorms that a renamed file states; 0 when it states none.
///
/// @throws WeightsError when it is neither the projects' own nor transformers'
inline double stated_epsilon(const TensorFile& file) {
  const auto stated = file.metadata.find("homolog.norm_epsilon");
  if (stated == file.metadata.end()) return 0;
  if (stated->second == "1e-12") return 1e-12;
  if (stated->second == "1e-6") return 1e-6;
  throw WeightsError(text(file.name, ": metadata homolog.norm_epsilon is '",
                          stated->second.substr(0, 40), "', expected 1e-6 or 1e-12"));
}

/// Writes the epsilon of the LayerNorms into the metadata of a file that is renamed to `style` when
/// it differs from that style's epsilon, so that the features do not change.
inline void state_epsilon(TensorFile& file, const Recognized& sizes, KeyStyle style) {
  const bool of_transformers = sizes.norm_epsilon == 1e-12;
  file.metadata.erase("homolog.norm_epsilon");
  if (of_transformers != (style == KeyStyle::huggingface)) {
    file.metadata["homolog.norm_epsilon"] = of_transformers ? "1e-12" : "1e-6";
  }
}

/// Reads the sizes from the names that DINOv2, plain vision transformers and timm's versions of
/// both share. Returns nothing when the keys belong to another family: SAM has relative positions
/// or a neck, DINOv3 has storage tokens or periods, and timm's EVA has gammas. A gated MLP is
/// stored as one matrix, which in timm has the name of a plain MLP's matrix.
inline std::optional<Recognized> read_vit_sizes(const KeyShapes& keys) {
  for (const char* other : {"blocks.#.attn.rel_pos_h", "neck.0.weight", "storage_tokens",
                            "rope_embed.periods", "blocks.#.gamma_1"}) {
    if (keys.has(other)) return std::nullopt;
  }
  if (!keys.has("blocks.#.attn.qkv.weight")) return std::nullopt;
  const int fc1 = keys.size("blocks.#.mlp.fc1.weight", 2, 0);
  const int fc2 = keys.size("blocks.#.mlp.fc2.weight", 2, 1);
  const bool packed = keys.has("blocks.#.mlp.w12.weight");
  const bool timm_packed = !packed && fc2 > 0 && fc1 == 2 * fc2;
  Recognized result;
  result.embed_dim = keys.size("patch_embed.proj.weight", 4, 0);
  result.patch_size = keys.size("patch_embed.proj.weight", 4, 2);
  result.registers = keys.size(keys.has("reg_token") ? "reg_token" : "register_tokens", 3, 1);
  result.position_rows = canonical_position_rows(keys.size("pos_embed", 3, 1));
  result.swiglu = packed || timm_packed;
  result.ffn_hidden =
      packed ? keys.size("blocks.#.mlp.w3.weight", 2, 1) : (timm_packed ? fc2 : fc1);
  result.depth = keys.depth();
  return result;
}

/// Recognises a plain vision transformer with `original` or Hugging Face's names: it has no
/// LayerScale, and no registers other than timm's.
///
/// @param original the style that names other than Hugging Face's count as
inline std::optional<Recognized> recognize_plain_vit(const TensorFile& plain, KeyStyle original) {
  if (has_key(plain, {"embeddings.patch_embeddings.projection.weight"})) {
    Recognized result;
    const KeyShapes keys(plain, vit_huggingface.other_stem);
    if (!keys.has("encoder.layer.#.layernorm_before.weight")) return std::nullopt;
    result.style = KeyStyle::huggingface;
    result.embed_dim = keys.size("embeddings.patch_embeddings.projection.weight", 4, 0);
    result.patch_size = keys.size("embeddings.patch_embeddings.projection.weight", 4, 2);
    result.position_rows =
        canonical_position_rows(keys.size("embeddings.position_embeddings", 3, 1));
    result.ffn_hidden = keys.size("encoder.layer.#.intermediate.dense.weight", 2, 0);
    result.qkv_bias = keys.has("encoder.layer.#.attention.attention.query.bias");
    const double stated = stated_epsilon(plain);
    result.norm_epsilon = stated > 0 ? stated : 1e-12;  // as transformers builds these
    result.depth = keys.depth();
    return result;
  }
  const KeyShapes keys(plain);
  if (keys.has("blocks.#.ls1.gamma")) return std::nullopt;  // DINOv2's
  auto sizes = read_vit_sizes(keys);
  if (!sizes) return std::nullopt;
  sizes->style = original;
  sizes->norm_epsilon = stated_epsilon(plain);
  return sizes;
}

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
