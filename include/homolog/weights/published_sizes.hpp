// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What tells one backbone from another in a weights file, and the sizes of the published ones.

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

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
  std::string family;   ///< `dinov2`, `dinov3`, `sam` or `vision_transformer`
  std::string variant;  ///< `dinov2_vitb14_reg`, ...; empty when no published variant has the sizes
  KeyStyle style = KeyStyle::original;  ///< whose key names
  int embed_dim = 0;                    ///< length of a token
  int depth = 0;                        ///< blocks
  int heads = 0;       ///< published, else told by the tensors (SAM, and DINOv3 with periods), else
                       ///< metadata `homolog.heads`, else embed_dim / 64 (or 1)
  int patch_size = 0;  ///< [px]
  int registers = 0;   ///< register tokens
  bool swiglu = false;      ///< the MLPs are gated
  int ffn_hidden = 0;       ///< hidden channels of an MLP; with SwiGLU, of each half
  int position_rows = 0;    ///< 1 + n * n, the class token's included; SAM: n of its n x n table;
                            ///< 0 when the table is absent
  std::string prefix = {};  ///< what stands before every key, such as `backbone.`
  bool qkv_bias = true;     ///< queries and values have a bias
  int window = 0;           ///< [cells] side of SAM's attention windows
  int neck_channels = 0;    ///< channels of SAM's neck
  std::vector<int> global_blocks = {};  ///< SAM's blocks without windows

  /// Equal when all members are.
  bool operator==(const Recognized&) const = default;
};

namespace detail {

struct PublishedSizes {
  std::string_view variant;
  int embed_dim, depth, heads, patch_size, registers;
  bool swiglu;
  int ffn_hidden, position_rows;
  bool qkv_bias = true;
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

/// facebookresearch/dinov3: hub/backbones.py.
inline constexpr PublishedSizes published_dinov3_sizes[] = {
    {"dinov3_vits16", 384, 12, 6, 16, 4, false, 1536, 0},
    {"dinov3_vits16plus", 384, 12, 6, 16, 4, true, 1536, 0},
    {"dinov3_vitb16", 768, 12, 12, 16, 4, false, 3072, 0},
    {"dinov3_vitl16", 1024, 24, 16, 16, 4, false, 4096, 0},
    {"dinov3_vitl16plus", 1024, 24, 16, 16, 4, true, 4096, 0},
    {"dinov3_vith16plus", 1280, 32, 20, 16, 4, true, 5120, 0},
    {"dinov3_vit7b16", 4096, 40, 32, 16, 4, true, 8192, 0, false}};

/// facebookresearch/segment-anything: build_sam.py. All have windows of 14 cells but in every
/// (depth / 4)-th block, and a neck of 256 channels.
inline constexpr PublishedSizes published_sam_sizes[] = {
    {"sam_vit_b", 768, 12, 12, 16, 0, false, 3072, 64},
    {"sam_vit_l", 1024, 24, 16, 16, 0, false, 4096, 64},
    {"sam_vit_h", 1280, 32, 16, 16, 0, false, 5120, 64}};

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
  if (family == "dinov3") return published_dinov3_sizes;
  if (family == "sam") return published_sam_sizes;
  return published_vision_transformer_sizes;
}

inline Recognized from_published(const std::string& family, const PublishedSizes& sizes,
                                 KeyStyle style) {
  Recognized result{family,
                    std::string(sizes.variant),
                    style,
                    sizes.embed_dim,
                    sizes.depth,
                    sizes.heads,
                    sizes.patch_size,
                    sizes.registers,
                    sizes.swiglu,
                    sizes.ffn_hidden,
                    sizes.position_rows};
  result.qkv_bias = sizes.qkv_bias;
  if (family == "sam") {
    result.window = 14;
    result.neck_channels = 256;
    const int quarter = sizes.depth / 4;
    for (int i = 1; i <= 4; ++i) result.global_blocks.push_back(i * quarter - 1);
  }
  return result;
}

inline Recognized find_published(const std::string& family, std::string_view variant,
                                 KeyStyle style) {
  std::string known;
  for (const auto& sizes : published_sizes(family)) {
    if (sizes.variant == variant) return from_published(family, sizes, style);
    known += (known.empty() ? "" : ", ") + std::string(sizes.variant);
  }
  throw WeightsError(text("unknown variant '", variant, "' of ", family, "; known: ", known));
}

/// Whether a file's tensors have the sizes of a published variant. Heads and biases of queries and
/// values are no size: they leave no trace in some key styles.
inline bool same_sizes(const Recognized& a, const Recognized& b) {
  return a.embed_dim == b.embed_dim && a.depth == b.depth && a.patch_size == b.patch_size &&
         a.registers == b.registers && a.swiglu == b.swiglu && a.ffn_hidden == b.ffn_hidden &&
         a.position_rows == b.position_rows && a.window == b.window &&
         a.neck_channels == b.neck_channels && a.global_blocks == b.global_blocks;
}

/// The same, for a file that may lack blocks.
inline bool same_sizes_but_fewer_blocks(const Recognized& published, Recognized file) {
  if (file.depth >= published.depth) return false;
  file.depth = published.depth;
  file.global_blocks = published.global_blocks;
  return same_sizes(published, file);
}

}  // namespace detail

/// Sizes of a published DINOv2 by its hub name, such as `dinov2_vits14_reg`.
///
/// @throws WeightsError that lists the known names
inline Recognized published_dinov2(std::string_view variant) {
  return detail::find_published("dinov2", variant, KeyStyle::original);
}

/// Sizes of a published DINOv3 ViT by its hub name, such as `dinov3_vith16plus`.
///
/// @throws WeightsError that lists the known names
inline Recognized published_dinov3(std::string_view variant) {
  return detail::find_published("dinov3", variant, KeyStyle::original);
}

/// Sizes of a published SAM image encoder, such as `sam_vit_l`.
///
/// @throws WeightsError that lists the known names
inline Recognized published_sam(std::string_view variant) {
  return detail::find_published("sam", variant, KeyStyle::original);
}

/// Sizes of a published plain vision transformer by its timm name, such as `vit_tiny_patch16_224`.
///
/// @throws WeightsError that lists the known names
inline Recognized published_vision_transformer(std::string_view variant) {
  return detail::find_published("vision_transformer", variant, KeyStyle::timm);
}

/// What a weights file was recognised as, for messages: `dinov2_vits14 (original keys, 12 blocks
/// of 384)`.
inline std::string describe(const Recognized& recognized) {
  return detail::text(
      recognized.variant.empty() ? recognized.family + " of no published size" : recognized.variant,
      " (", key_style_name(recognized.style), " keys, ", recognized.depth, " blocks of ",
      recognized.embed_dim, ")");
}

}  // namespace homolog::inline v0_1
