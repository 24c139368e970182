// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// MAE's encoder (ViT-B, L, H): He et al., "Masked Autoencoders Are Scalable Vision Learners". A
/// backbone of it is numerically equal to the original code, without masking.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/plain_vit.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/float_values.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// MAE's fixed table of positions: sines and cosines of the column, then of the row; zeros for the
/// class token.
///
/// @return [1 + side * side, embed_dim], embed_dim a multiple of 4
inline std::vector<float> sine_positions(int embed_dim, int side) {
  const int quarter = embed_dim / 4;
  std::vector<float> table(static_cast<std::size_t>(embed_dim));
  table.reserve(static_cast<std::size_t>(embed_dim) * static_cast<std::size_t>(1 + side * side));
  for (int cell = 0; cell < side * side; ++cell) {
    for (const int place : {cell % side, cell / side}) {
      for (const bool cosine : {false, true}) {
        for (int k = 0; k < quarter; ++k) {
          const double angle = place / std::pow(10000.0, static_cast<double>(k) / quarter);
          table.push_back(static_cast<float>(cosine ? std::cos(angle) : std::sin(angle)));
        }
      }
    }
  }
  return table;
}

/// Whether a file's position table is that one, to the precision of bfloat16. No trained table is.
inline bool has_sine_positions(const TensorFile& file, const std::string& key,
                               const Recognized& sizes) {
  const auto found = file.tensors.find(key);
  if (found == file.tensors.end() || sizes.embed_dim % 4 != 0) return false;
  const TensorView& view = found->second;
  const bool floating = view.dtype == DType::f32 || view.dtype == DType::f16 ||
                        view.dtype == DType::bf16 || view.dtype == DType::f64;
  const auto side =
      static_cast<int>(std::lround(std::sqrt(static_cast<double>(sizes.position_rows - 1))));
  if (!floating || view.shape.size() != 3 || view.shape[0] != 1 || side < 1 || side > 64 ||
      view.shape[1] != 1 + side * side || view.shape[2] != sizes.embed_dim) {
    return false;
  }
  const std::vector<float> stored = float_values(file, key);
  const std::vector<float> sines = sine_positions(sizes.embed_dim, side);
  return std::equal(stored.begin(), stored.end(), sines.begin(), sines.end(),
                    [](float a, float b) { return std::abs(a - b) < 0.01F; });
}

}  // namespace detail

/// The record of MAE's encoder. Its files have the keys and shapes of a plain vision transformer;
/// the table of positions, which MAE never trains, or the decoder beside it tell it.
struct MaeFamily : detail::PlainVitFamily {
  /// In messages and in Recognized::family.
  static constexpr std::string_view name = "mae";
  /// facebookresearch/mae: models_mae.py.
  static constexpr PublishedSizes published[] = {
      {"mae_vit_base_patch16", 768, 12, 12, 16, 0, false, 3072, 197},
      {"mae_vit_large_patch16", 1024, 24, 16, 16, 0, false, 4096, 197},
      {"mae_vit_huge_patch14", 1280, 32, 16, 14, 0, false, 5120, 257}};
  /// @cond
  /// The decoder, in the original's and in Hugging Face's files.
  static constexpr std::array<std::string_view, 2> ignored{"decoder_", "decoder."};

  static std::optional<Candidate> recognize(const TensorFile& plain) {
    const auto sizes = detail::recognize_plain_vit(plain, KeyStyle::original);
    if (!sizes) return std::nullopt;
    const bool huggingface = sizes->style == KeyStyle::huggingface;
    const bool sines = detail::has_sine_positions(
        plain, huggingface ? "embeddings.position_embeddings" : "pos_embed", *sizes);
    const bool decoder =
        detail::has_key(plain, {"decoder_embed.weight", "decoder.decoder_embed.weight"});
    if (!sines && !decoder) return std::nullopt;
    return Candidate{*sizes};
  }
  static std::vector<ExpectedTensor> unused(const Recognized& sizes) {
    return {{"mask_token", {1, 1, any_size}},
            {"head.weight", {any_size, sizes.embed_dim}},
            {"head.bias", {any_size}}};
  }
  static const KeyTable* key_table(const Recognized&, KeyStyle style) {
    return style == KeyStyle::huggingface ? &detail::vit_huggingface : nullptr;
  }
  static BackboneDefaults defaults(const Recognized&, const TensorFile&) {
    return {imagenet_normalization, PositionInterpolation::huggingface};  // as MAE's own resizing
  }
  /// @endcond
};

/// MAE's encoder as a Backbone policy.
///
/// @code
/// homolog::Mae backbone;
/// backbone.load("mae_pretrain_vit_base.pth");  // .pth or .safetensors, original or Hugging Face
/// @endcode
using Mae = TransformerOf<MaeFamily>;

}  // namespace homolog::inline v0_1
