// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Which backbone a weights file holds, told from its key names and shapes alone.

#include <algorithm>
#include <array>
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
#include "homolog/weights/tensor_file.hpp"

namespace homolog {

/// Whose key names a file has.
enum class KeyStyle {
  original,     ///< the backbone's own project
  huggingface,  ///< Hugging Face transformers
  timm          ///< pytorch-image-models
};

/// `original`, `huggingface` or `timm`.
constexpr std::string_view key_style_name(KeyStyle style) {
  constexpr std::array<std::string_view, 3> names{"original", "huggingface", "timm"};
  return names[static_cast<std::size_t>(style)];
}

/// What a file was recognised as.
struct Recognized {
  std::string family;   ///< `dinov2` or `vision_transformer`
  std::string variant;  ///< `dinov2_vitb14_reg`, ...; empty when no published variant has the sizes
  KeyStyle style = KeyStyle::original;
  int embed_dim = 0;
  int depth = 0;       ///< blocks
  int heads = 0;       ///< published, else metadata `homolog.heads`, else embed_dim / 64 (or 1)
  int patch_size = 0;  ///< [px]
  int registers = 0;
  bool swiglu = false;
  int ffn_hidden = 0;
  int position_rows = 0;    ///< 1 + n * n, the class token's included; 0 when the table is absent
  std::string prefix = {};  ///< what stands before every key, such as `backbone.`

  bool operator==(const Recognized&) const = default;
};

namespace detail {

struct PublishedSizes {
  std::string_view variant;
  int embed_dim, depth, heads, patch_size, registers;
  bool swiglu;
  int ffn_hidden, position_rows;
};

/// facebookresearch/dinov2: hub/backbones.py.
inline constexpr PublishedSizes published_dinov2_sizes[] = {
    {"dinov2_vits14", 384, 12, 6, 14, 0, false, 1536, 1370},
    {"dinov2_vitb14", 768, 12, 12, 14, 0, false, 3072, 1370},
    {"dinov2_vitl14", 1024, 24, 16, 14, 0, false, 4096, 1370},
    {"dinov2_vitg14", 1536, 40, 24, 14, 0, true, 4096, 1370},
    {"dinov2_vits14_reg", 384, 12, 6, 14, 4, false, 1536, 1370},
    {"dinov2_vitb14_reg", 768, 12, 12, 14, 4, false, 3072, 1370},
    {"dinov2_vitl14_reg", 1024, 24, 16, 14, 4, false, 4096, 1370},
    {"dinov2_vitg14_reg", 1536, 40, 24, 14, 4, true, 4096, 1370}};

/// huggingface/pytorch-image-models: vision_transformer.py.
inline constexpr PublishedSizes published_vision_transformer_sizes[] = {
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
    {"vit_large_patch16_384", 1024, 24, 16, 16, 0, false, 4096, 577}};

inline std::span<const PublishedSizes> published_sizes(std::string_view family) {
  if (family == "dinov2") return published_dinov2_sizes;
  return published_vision_transformer_sizes;
}

inline Recognized find_published(const std::string& family, std::string_view variant,
                                 KeyStyle style) {
  std::string known;
  for (const auto& sizes : published_sizes(family)) {
    if (sizes.variant == variant) {
      return {family,           std::string(variant), style,
              sizes.embed_dim,  sizes.depth,          sizes.heads,
              sizes.patch_size, sizes.registers,      sizes.swiglu,
              sizes.ffn_hidden, sizes.position_rows};
    }
    known += (known.empty() ? "" : ", ") + std::string(sizes.variant);
  }
  throw WeightsError(text("unknown variant '", variant, "' of ", family, "; known: ", known));
}

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

}  // namespace detail

/// Sizes of a published DINOv2 by its hub name, such as `dinov2_vits14_reg`.
///
/// @throws WeightsError that lists the known names
inline Recognized published_dinov2(std::string_view variant) {
  return detail::find_published("dinov2", variant, KeyStyle::original);
}

/// Sizes of a published plain vision transformer by its timm name, such as `vit_tiny_patch16_224`.
///
/// @throws WeightsError that lists the known names
inline Recognized published_vision_transformer(std::string_view variant) {
  return detail::find_published("vision_transformer", variant, KeyStyle::timm);
}

/// Tells family, variant, key style and sizes from key names and shapes; prefixes such as
/// `backbone.` and the chunk indices of training checkpoints are understood.
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
  const TensorFile plain = detail::plain_keys(file, *prefix);
  const bool huggingface = plain.tensors.contains("embeddings.patch_embeddings.projection.weight");
  const detail::KeyShapes keys(
      plain, huggingface ? detail::dinov2_huggingface.other_stem : detail::original_stem);
  // Keys that only other backbones have: DINOv3 (original, timm), SAM.
  for (const auto other : {"rope_embed.periods", "storage_tokens", "blocks.#.gamma_1",
                           "blocks.#.attn.rel_pos_h", "neck.0.weight"}) {
    if (keys.has(other)) return std::nullopt;
  }

  Recognized result;
  result.prefix = *prefix;
  result.depth = static_cast<int>(keys.blocks.size());
  if (huggingface) {
    if (!keys.has("encoder.layer.#.layer_scale1.lambda1")) return std::nullopt;
    result.family = "dinov2";
    result.style = KeyStyle::huggingface;
    result.embed_dim = keys.size("embeddings.patch_embeddings.projection.weight", 4, 0);
    result.patch_size = keys.size("embeddings.patch_embeddings.projection.weight", 4, 2);
    result.registers = keys.size("embeddings.register_tokens", 3, 1);
    result.position_rows = keys.size("embeddings.position_embeddings", 3, 1);
    result.swiglu = keys.has("encoder.layer.#.mlp.weights_in.weight");
    result.ffn_hidden = result.swiglu ? keys.size("encoder.layer.#.mlp.weights_out.weight", 2, 1)
                                      : keys.size("encoder.layer.#.mlp.fc1.weight", 2, 0);
  } else {
    if (!keys.has("blocks.#.attn.qkv.weight")) return std::nullopt;
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
    result.position_rows = keys.size("pos_embed", 3, 1);
    result.swiglu = packed || timm_packed;
    result.ffn_hidden =
        packed ? keys.size("blocks.#.mlp.w3.weight", 2, 1) : (timm_packed ? fc2 : fc1);
  }
  if (result.embed_dim == 0 || result.patch_size == 0) return std::nullopt;
  result.position_rows = detail::canonical_position_rows(result.position_rows);
  for (const auto& sizes : detail::published_sizes(result.family)) {
    if (sizes.embed_dim == result.embed_dim && sizes.depth == result.depth &&
        sizes.patch_size == result.patch_size && sizes.registers == result.registers &&
        sizes.swiglu == result.swiglu && sizes.ffn_hidden == result.ffn_hidden &&
        sizes.position_rows == result.position_rows) {
      result.variant = sizes.variant;
      result.heads = sizes.heads;
    }
  }
  if (result.variant.empty()) result.heads = detail::heads_of(file, result.embed_dim);
  return result;
}

}  // namespace homolog
