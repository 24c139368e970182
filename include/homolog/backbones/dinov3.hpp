// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINOv3's vision transformers (S, S+, B, L, L+, H+, 7B): Simeoni et al., "DINOv3", numerically
/// equal to the original code in evaluation.

#include <cstdint>
#include <filesystem>
#include <string>

#include "homolog/backbones/load_transformer.hpp"
#include "homolog/backbones/transformer_backbone.hpp"

namespace homolog::inline v0_1 {

/// DINOv3 ViT as a Backbone policy: rotary positions, register ("storage") tokens that never reach
/// the patch map, inputs of any size (what is beyond the last whole patch is ignored).
///
/// @code
/// homolog::DinoV3 backbone;
/// backbone.load("dinov3_vitl16_pretrain_lvd1689m-8aa4cbdd.pth");  // or .safetensors
/// @endcode
struct DinoV3 : TransformerBackbone {
  /// Loads a weights file; everything is checked before this backbone changes.
  ///
  /// The rotary periods are the file's where it holds them (original `.pth`: rounded to bfloat16),
  /// else computed in float32, as Hugging Face and timm do. Biases of queries and values are
  /// multiplied by the file's mask. Statistics are ImageNet's, and those of the satellite images
  /// for the ViT-L trained on them where the file holds the unused second norm that tells it
  /// (original keys). For its other files, and for a 7B trained on satellite images, set
  /// `input_normalization = satellite_normalization` after loading.
  ///
  /// @param variant hub name the file must be, such as `dinov3_vitb16`; empty accepts any
  /// @param dtype of the weights in memory: float32, bfloat16, float16 or float64
  /// @throws FileError, WeightsError naming missing, unexpected or wrongly shaped keys
  void load(const std::filesystem::path& path, const std::string& variant = "",
            torch::Dtype dtype = torch::kFloat32) {
    load(read_weights(path), variant, dtype);
  }

  /// Loads tensors that are in memory already; see above.
  void load(const TensorFile& file, const std::string& variant = "",
            torch::Dtype dtype = torch::kFloat32) {
    const Recognized recognized = recognize_as(file, "dinov3", variant);
    const TensorFile original = audited(file, recognized, expected_dinov3(recognized));
    model = make_transformer(original, recognized, dtype);
    const bool satellite =
        recognized.variant == "dinov3_vitl16" && original.tensors.contains("local_cls_norm.weight");
    input_normalization = satellite ? satellite_normalization : imagenet_normalization;
  }

  /// Fills a published variant with random weights, for benchmarks.
  ///
  /// @throws WeightsError when the variant is unknown
  void randomize(const std::string& variant, std::uint64_t seed) {
    load(random_weights(expected_dinov3(published_dinov3(variant)), seed), variant);
  }
};

}  // namespace homolog::inline v0_1
