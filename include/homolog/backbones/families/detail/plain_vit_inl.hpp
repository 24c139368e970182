// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of backbones/families/plain_vit.hpp.

#include <algorithm>
#include <cmath>
#include <optional>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/plain_file.hpp"
#include "homolog/backbones/families/plain_vit.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1::detail {

HOMOLOG_INLINE int canonical_position_rows(int rows) {
  if (rows <= 0) return 0;
  const auto side = static_cast<int>(std::lround(std::sqrt(static_cast<double>(rows))));
  if (side * side == rows && rows > 1) return rows + 1;
  const auto inner = static_cast<int>(std::lround(std::sqrt(static_cast<double>(rows - 1))));
  return 1 + inner * inner;
}

HOMOLOG_INLINE void complete_position_rows(TensorFile& file) {
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

HOMOLOG_INLINE void state_epsilon(TensorFile& file, const Recognized& sizes, KeyStyle style) {
  const bool of_transformers = sizes.norm_epsilon == 1e-12;
  file.metadata.erase("homolog.norm_epsilon");
  if (of_transformers != (style == KeyStyle::huggingface)) {
    file.metadata["homolog.norm_epsilon"] = of_transformers ? "1e-12" : "1e-6";
  }
}

HOMOLOG_INLINE std::optional<Recognized> read_vit_sizes(const KeyShapes& keys) {
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

HOMOLOG_INLINE std::optional<Recognized> recognize_plain_vit(const TensorFile& plain,
                                                             KeyStyle original) {
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

}  // namespace homolog::inline v0_1::detail
