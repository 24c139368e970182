// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// MAE's encoder (ViT-B, L, H): He et al., "Masked Autoencoders Are Scalable Vision Learners". Its
/// features are numerically equal to those of the transformers library without masking.

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

/// A row of MAE's fixed table of positions: sines and cosines of the column, then of the row.
///
/// @return [embed_dim], a multiple of 4
inline std::vector<float> sine_positions(int embed_dim, int column, int row) {
  const int quarter = embed_dim / 4;
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(embed_dim));
  for (const int place : {column, row}) {
    for (const bool cosine : {false, true}) {
      for (int k = 0; k < quarter; ++k) {
        const double angle = place / std::pow(10000.0, static_cast<double>(k) / quarter);
        values.push_back(static_cast<float>(cosine ? std::cos(angle) : std::sin(angle)));
      }
    }
  }
  return values;
}

/// Whether a file's position table is that one, with zeros for the class token, to the precision of
/// bfloat16. A trained table is not, and usually differs in its first row already.
inline bool has_sine_positions(const TensorFile& file, const std::string& key,
                               const Recognized& sizes) {
  const auto found = file.tensors.find(key);
  if (found == file.tensors.end() || sizes.position_rows < 2 || sizes.embed_dim < 4 ||
      sizes.embed_dim % 4 != 0 || sizes.embed_dim > 8192) {
    return false;
  }
  const TensorView& view = found->second;
  const bool floating = view.dtype == DType::f32 || view.dtype == DType::f16 ||
                        view.dtype == DType::bf16 || view.dtype == DType::f64;
  const auto side =
      static_cast<int>(std::lround(std::sqrt(static_cast<double>(sizes.position_rows - 1))));
  if (!floating || view.shape.size() != 3 || view.shape[0] != 1 || side > 64 ||
      view.shape[1] != 1 + side * side || view.shape[2] != sizes.embed_dim) {
    return false;
  }
  const std::size_t row_bytes = view.bytes.size() / static_cast<std::size_t>(view.shape[1]);
  TensorFile row;
  row.name = file.name;
  std::vector<float> expected(static_cast<std::size_t>(sizes.embed_dim));
  for (int i = 0; i <= side * side; ++i) {
    row.tensors[key] = {view.dtype,
                        {sizes.embed_dim},
                        view.bytes.subspan(static_cast<std::size_t>(i) * row_bytes, row_bytes)};
    if (i > 0) expected = sine_positions(sizes.embed_dim, (i - 1) % side, (i - 1) / side);
    const std::vector<float> stored = float_values(row, key);
    if (!std::equal(stored.begin(), stored.end(), expected.begin(), expected.end(),
                    [](float a, float b) { return std::abs(a - b) < 0.01F; })) {
      return false;
    }
  }
  return true;
}

}  // namespace detail

/// The record of MAE's encoder. Its files have the keys and shapes of a plain vision transformer;
/// they are recognised by the table of positions, which MAE never trains, or by the decoder in the
/// file; one that was trained further counts only where it is named.
struct MaeFamily : detail::PlainVitFamily {
  /// The family's name in messages and in Recognized::family.
  static constexpr std::string_view name = "mae";
  /// facebookresearch/mae: models_mae.py.
  static constexpr PublishedSizes published[] = {
      {"mae_vit_base_patch16", 768, 12, 12, 16, 0, false, 3072, 197},
      {"mae_vit_large_patch16", 1024, 24, 16, 16, 0, false, 4096, 197},
      {"mae_vit_huge_patch14", 1280, 32, 16, 14, 0, false, 5120, 257}};
  /// @cond
  /// The decoder, in the original's and in Hugging Face's files.
  static constexpr std::array<std::string_view, 4> ignored{"decoder_", "decoder.", "classifier.",
                                                           "pooler."};

  static std::optional<Candidate> recognize(const TensorFile& plain) {
    const auto sizes = detail::recognize_plain_vit(plain, KeyStyle::original);
    if (!sizes) return std::nullopt;
    const bool huggingface = sizes->style == KeyStyle::huggingface;
    const bool sines = detail::has_sine_positions(
        plain, huggingface ? "embeddings.position_embeddings" : "pos_embed", *sizes);
    const bool decoder =
        detail::has_key(plain, {"decoder_embed.weight", "decoder.decoder_embed.weight"});
    if (!sines && !decoder) return Candidate{*sizes, false, true};
    // A file with a classification head was fine-tuned and counts as a supervised model.
    return Candidate{*sizes, !detail::has_key(plain, {"head.weight", "classifier.weight"})};
  }
  static std::vector<ExpectedTensor> unused(const Recognized& sizes) {
    return {{"mask_token", {1, 1, any_size}},
            {"head.weight", {any_size, sizes.embed_dim}},
            {"head.bias", {any_size}}};
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
/// backbone.load("mae_pretrain_vit_base.pth");  // or Hugging Face's model.safetensors
/// @endcode
using Mae = TransformerOf<MaeFamily>;

}  // namespace homolog::inline v0_1
