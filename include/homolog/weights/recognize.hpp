// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Which backbone a weights file holds, told from its key names and shapes alone.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/weights/detail/key_names.hpp"
#include "homolog/weights/published_sizes.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// More blocks than this are no backbone, but a file made to take memory.
inline constexpr int deepest_backbone = 1024;

/// Shapes of a file by key pattern; of a block's tensors those of the first block that has them.
struct KeyShapes {
  std::map<std::string, const std::vector<std::int64_t>*, std::less<>> shapes;
  std::set<std::string> blocks;

  KeyShapes(const TensorFile& file, std::string_view stem) {
    for (const auto& [key, view] : file.tensors) {
      auto [pattern, index] = key_pattern(key, stem);
      if (!index.empty()) blocks.insert(index);
      shapes.emplace(std::move(pattern), &view.shape);
    }
  }
  bool has(std::string_view pattern) const { return shapes.find(pattern) != shapes.end(); }
  /// One size of a tensor; 0 when it is absent, has another rank or is out of all proportion.
  int size(std::string_view pattern, std::size_t rank, std::size_t axis) const {
    const auto found = shapes.find(pattern);
    if (found == shapes.end() || found->second->size() != rank) return 0;
    const auto size = (*found->second)[axis];
    return size > 0 && size <= 1 << 20 ? static_cast<int>(size) : 0;
  }
};

/// Rows of the canonical table 1 + n * n nearest to a file's; a table without the class token's
/// row is a square number.
inline int canonical_position_rows(int rows) {
  if (rows <= 0) return 0;
  const auto side = static_cast<int>(std::lround(std::sqrt(static_cast<double>(rows))));
  if (side * side == rows && rows > 1) return rows + 1;
  const auto inner = static_cast<int>(std::lround(std::sqrt(static_cast<double>(rows - 1))));
  return 1 + inner * inner;
}

inline int heads_of(const TensorFile& file, int embed_dim) {
  const auto stated = file.metadata.find("homolog.heads");
  if (stated == file.metadata.end()) return embed_dim % 64 == 0 ? embed_dim / 64 : 1;
  int heads = 0;
  const auto& digits = stated->second;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), heads);
  if (error != std::errc() || end != digits.data() + digits.size() || heads < 1 ||
      embed_dim % heads != 0) {
    throw WeightsError(text(file.name, ": metadata homolog.heads is '", digits.substr(0, 40),
                            "', expected a divisor of ", embed_dim));
  }
  return heads;
}

/// Heads of a given dimension, where that makes sense.
inline int heads_of_dimension(int embed_dim, int head_dim) {
  return head_dim > 0 && embed_dim % head_dim == 0 ? embed_dim / head_dim : 0;
}

inline Recognized recognize_dinov2_huggingface(const KeyShapes& keys) {
  Recognized result;
  if (!keys.has("encoder.layer.#.layer_scale1.lambda1")) return result;
  result.family = "dinov2";
  result.style = KeyStyle::huggingface;
  result.embed_dim = keys.size("embeddings.patch_embeddings.projection.weight", 4, 0);
  result.patch_size = keys.size("embeddings.patch_embeddings.projection.weight", 4, 2);
  result.registers = keys.size("embeddings.register_tokens", 3, 1);
  result.position_rows = canonical_position_rows(keys.size("embeddings.position_embeddings", 3, 1));
  result.swiglu = keys.has("encoder.layer.#.mlp.weights_in.weight");
  result.ffn_hidden = result.swiglu ? keys.size("encoder.layer.#.mlp.weights_out.weight", 2, 1)
                                    : keys.size("encoder.layer.#.mlp.fc1.weight", 2, 0);
  return result;
}

inline Recognized recognize_dinov3_huggingface(const KeyShapes& keys) {
  Recognized result;
  if (!keys.has("layer.#.layer_scale1.lambda1")) return result;
  result.family = "dinov3";
  result.style = KeyStyle::huggingface;
  result.embed_dim = keys.size("embeddings.patch_embeddings.weight", 4, 0);
  result.patch_size = keys.size("embeddings.patch_embeddings.weight", 4, 2);
  result.registers = keys.size("embeddings.register_tokens", 3, 1);
  result.swiglu = keys.has("layer.#.mlp.gate_proj.weight");
  result.ffn_hidden = keys.size("layer.#.mlp.up_proj.weight", 2, 0);
  result.qkv_bias = keys.has("layer.#.attention.q_proj.bias");
  return result;
}

/// Original and timm keys, which are the same but for the MLP of a block, the register tokens, the
/// LayerScale gammas and the biases of queries and values.
inline Recognized recognize_dinov3(const KeyShapes& keys) {
  Recognized result;
  const bool timm = keys.has("blocks.#.gamma_1");
  if (!keys.has(timm ? "reg_token" : "storage_tokens") || keys.has("pos_embed")) return result;
  result.family = "dinov3";
  result.style = timm ? KeyStyle::timm : KeyStyle::original;
  result.embed_dim = keys.size("patch_embed.proj.weight", 4, 0);
  result.patch_size = keys.size("patch_embed.proj.weight", 4, 2);
  result.registers = keys.size(timm ? "reg_token" : "storage_tokens", 3, 1);
  const char* gate = timm ? "blocks.#.mlp.fc1_g.weight" : "blocks.#.mlp.w1.weight";
  result.swiglu = keys.has(gate);
  result.ffn_hidden = keys.size(result.swiglu ? gate : "blocks.#.mlp.fc1.weight", 2, 0);
  result.qkv_bias = keys.has(timm ? "blocks.#.attn.q_bias" : "blocks.#.attn.qkv.bias");
  result.heads = heads_of_dimension(result.embed_dim, 4 * keys.size("rope_embed.periods", 1, 0));
  return result;
}

/// SAM's image encoder in any style.
inline Recognized recognize_sam(const TensorFile& plain, const KeyShapes& keys, bool huggingface) {
  Recognized result;
  if (keys.has("cls_token")) return result;
  const std::string stem(huggingface ? sam_huggingface.other_stem : original_stem);
  const std::string patches =
      huggingface ? "patch_embed.projection.weight" : "patch_embed.proj.weight";
  const bool timm = !huggingface && keys.has("blocks.#.mlp.fc1.weight");
  result.family = "sam";
  result.style = huggingface ? KeyStyle::huggingface : timm ? KeyStyle::timm : KeyStyle::original;
  result.embed_dim = keys.size(patches, 4, 0);
  result.patch_size = keys.size(patches, 4, 2);
  result.position_rows = keys.size("pos_embed", 4, 1);
  result.ffn_hidden = keys.size(stem + (timm ? "#.mlp.fc1.weight" : "#.mlp.lin1.weight"), 2, 0);
  result.neck_channels = keys.size(huggingface ? "neck.conv1.weight" : "neck.0.weight", 4, 0);
  result.heads = heads_of_dimension(result.embed_dim, keys.size(stem + "#.attn.rel_pos_h", 2, 1));
  // A block is global when its table spans the whole grid; the others tell the window.
  for (std::size_t i = 0; i < keys.blocks.size(); ++i) {
    const auto table = plain.tensors.find(stem + std::to_string(i) + ".attn.rel_pos_h");
    if (table == plain.tensors.end() || table->second.shape.size() != 2) continue;
    const auto rows = table->second.shape[0];
    if (rows == 2 * result.position_rows - 1) {
      result.global_blocks.push_back(static_cast<int>(i));
    } else if (result.window == 0 && rows > 0 && rows % 2 == 1 && rows < 1 << 20) {
      result.window = static_cast<int>(rows + 1) / 2;
    }
  }
  // Tables of an even length fit no window: 1 cell is what the audit then holds them against.
  if (result.window == 0 && result.global_blocks.size() < keys.blocks.size()) result.window = 1;
  return result;
}

/// DINOv2 and the plain vision transformer under original or timm keys.
inline Recognized recognize_dinov2_or_plain(const TensorFile& file, const KeyShapes& keys) {
  Recognized result;
  // Keys of backbones like timm's EVA.
  if (keys.has("blocks.#.gamma_1")) return result;
  const bool scaled = keys.has("blocks.#.ls1.gamma");
  const bool packed = keys.has("blocks.#.mlp.w12.weight");
  const int fc1 = keys.size("blocks.#.mlp.fc1.weight", 2, 0);
  const int fc2 = keys.size("blocks.#.mlp.fc2.weight", 2, 1);
  const bool timm_packed = !packed && fc2 > 0 && fc1 == 2 * fc2;
  const bool timm_registers = keys.has("reg_token");
  const bool original_names = packed || keys.has("register_tokens") || keys.has("mask_token");
  const auto note = file.metadata.find("homolog.keys");
  const bool noted = note != file.metadata.end() && note->second == "original";
  result.family = scaled ? "dinov2" : "vision_transformer";
  result.style = scaled && !timm_packed && !timm_registers && (original_names || noted)
                     ? KeyStyle::original
                     : KeyStyle::timm;
  result.embed_dim = keys.size("patch_embed.proj.weight", 4, 0);
  result.patch_size = keys.size("patch_embed.proj.weight", 4, 2);
  result.registers = keys.size(timm_registers ? "reg_token" : "register_tokens", 3, 1);
  result.position_rows = canonical_position_rows(keys.size("pos_embed", 3, 1));
  result.swiglu = packed || timm_packed;
  result.ffn_hidden =
      packed ? keys.size("blocks.#.mlp.w3.weight", 2, 1) : (timm_packed ? fc2 : fc1);
  return result;
}

/// Family, style and sizes of a file without prefixes; an empty family when it is none's.
inline Recognized recognize_plain(const TensorFile& plain) {
  const auto counted = [](Recognized result, const KeyShapes& keys) {
    result.depth = static_cast<int>(keys.blocks.size());
    return result;
  };
  if (plain.tensors.contains("embeddings.patch_embeddings.projection.weight")) {
    const KeyShapes keys(plain, dinov2_huggingface.other_stem);
    return counted(recognize_dinov2_huggingface(keys), keys);
  }
  if (plain.tensors.contains("embeddings.patch_embeddings.weight")) {
    const KeyShapes keys(plain, dinov3_huggingface.other_stem);
    return counted(recognize_dinov3_huggingface(keys), keys);
  }
  if (plain.tensors.contains("patch_embed.projection.weight")) {
    const KeyShapes keys(plain, sam_huggingface.other_stem);
    if (!keys.has("layers.#.attn.rel_pos_h") && !keys.has("neck.conv1.weight")) return {};
    return counted(recognize_sam(plain, keys, /*huggingface=*/true), keys);
  }
  const KeyShapes keys(plain, original_stem);
  if (!keys.has("blocks.#.attn.qkv.weight")) return {};
  if (keys.has("blocks.#.attn.rel_pos_h") || keys.has("neck.0.weight")) {
    return counted(recognize_sam(plain, keys, /*huggingface=*/false), keys);
  }
  if (keys.has("storage_tokens") || keys.has("rope_embed.periods") ||
      (keys.has("blocks.#.gamma_1") && keys.has("reg_token"))) {
    return counted(recognize_dinov3(keys), keys);
  }
  return counted(recognize_dinov2_or_plain(plain, keys), keys);
}

}  // namespace detail

/// Tells family, variant, key style and sizes from key names and shapes. Prefixes such as
/// `backbone.` and `image_encoder.` and the chunk indices of training checkpoints are understood.
///
/// A plain DINOv2 has the same keys from its own project and from timm, but for `mask_token`, which
/// only timm drops: without one (and without metadata `homolog.keys`, which to_original_keys()
/// leaves) such a file counts as timm's. Values and completeness are audit()'s business.
///
/// @return nothing when the keys are those of no known backbone
/// @throws WeightsError when removing prefixes makes two keys one, or metadata states bad heads
inline std::optional<Recognized> recognize(const TensorFile& file) {
  const auto prefix = detail::find_key_prefix(file);
  if (!prefix) return std::nullopt;
  Recognized result = detail::recognize_plain(detail::plain_keys(file, *prefix));
  if (result.family.empty() || result.embed_dim == 0 || result.patch_size == 0) {
    return std::nullopt;
  }
  if (result.depth > detail::deepest_backbone) return std::nullopt;
  result.prefix = *prefix;
  for (const auto& sizes : detail::published_sizes(result.family)) {
    const Recognized published = detail::from_published(result.family, sizes, result.style);
    // A published model with fewer blocks has its heads; without metadata nothing else tells them.
    if (detail::same_sizes_but_fewer_blocks(published, result) && result.heads == 0 &&
        !file.metadata.contains("homolog.heads")) {
      result.heads = published.heads;
    }
    if (!detail::same_sizes(published, result)) continue;
    result.variant = published.variant;
    result.heads = published.heads;
    // timm leaves biases that are zero away; elsewhere a published model has all of its biases.
    if (result.style != KeyStyle::timm) result.qkv_bias = published.qkv_bias;
  }
  if (result.heads == 0) result.heads = detail::heads_of(file, result.embed_dim);
  return result;
}

}  // namespace homolog::inline v0_1
