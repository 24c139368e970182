// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINOv2 (ViT-S, B, L, g; plain and with registers): Oquab et al., "DINOv2: Learning Robust Visual
/// Features without Supervision", numerically equal to the original code.

#include <cstdint>
#include <filesystem>
#include <string>

#include "homolog/backbones/load_transformer.hpp"
#include "homolog/backbones/transformer_backbone.hpp"

namespace homolog::inline v0_1 {

/// DINOv2 as a Backbone policy.
///
/// @code
/// homolog::DinoV2 backbone;
/// backbone.load("dinov2_vits14_pretrain.pth");   // .pth or .safetensors, original or Hugging Face
/// backbone.setting.layer = 8;
/// @endcode
struct DinoV2 : TransformerBackbone {
  /// Loads a weights file; everything is checked before this backbone changes.
  ///
  /// The position rule follows the key style: hub rules for original keys, Hugging Face's for its
  /// own, the antialiased one for timm and for models with registers.
  ///
  /// @param variant hub name the file must be, such as `dinov2_vitb14_reg`; empty accepts any
  /// @param dtype of the weights in memory: float32, bfloat16, float16 or float64
  /// @throws FileError, WeightsError naming missing, unexpected or wrongly shaped keys
  void load(const std::filesystem::path& path, const std::string& variant = "",
            torch::Dtype dtype = torch::kFloat32) {
    load(read_weights(path), variant, dtype);
  }

  /// Loads tensors that are in memory already; see above.
  void load(const TensorFile& file, const std::string& variant = "",
            torch::Dtype dtype = torch::kFloat32) {
    const Recognized recognized = recognize_as(file, "dinov2", variant);
    model =
        make_transformer(audited(file, recognized, expected_dinov2(recognized)), recognized, dtype);
    position_interpolation = recognized.registers > 0 || recognized.style == KeyStyle::timm
                                 ? PositionInterpolation::hub_registers
                             : recognized.style == KeyStyle::huggingface
                                 ? PositionInterpolation::huggingface
                                 : PositionInterpolation::hub;
  }

  /// Fills a published variant with random weights, for benchmarks.
  ///
  /// @throws WeightsError when the variant is unknown
  void randomize(const std::string& variant, std::uint64_t seed) {
    TensorFile file = random_weights(expected_dinov2(published_dinov2(variant)), seed);
    file.metadata["homolog.keys"] = "original";
    load(file, variant);
  }
};

}  // namespace homolog::inline v0_1
