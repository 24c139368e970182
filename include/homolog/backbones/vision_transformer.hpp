// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The plain supervised vision transformer (Dosovitskiy et al.) with timm's key names.

#include <cstdint>
#include <filesystem>
#include <string>

#include "homolog/backbones/load_transformer.hpp"
#include "homolog/backbones/transformer_backbone.hpp"

namespace homolog::inline v0_1 {

/// A plain ViT as a Backbone policy; inputs are normalised with mean and deviation 0.5 by default,
/// as timm's augreg weights want it. A classification head in the file is ignored.
struct VisionTransformer : TransformerBackbone {
  VisionTransformer() {
    input_normalization = half_normalization;
    position_interpolation = PositionInterpolation::hub_registers;  // timm's rule
  }

  /// Loads a weights file; everything is checked before this backbone changes.
  ///
  /// @param variant timm name the file must be, such as `vit_tiny_patch16_224`; empty accepts any
  /// @param dtype of the weights in memory: float32, bfloat16, float16 or float64
  /// @throws FileError, WeightsError naming missing, unexpected or wrongly shaped keys
  void load(const std::filesystem::path& path, const std::string& variant = "",
            torch::Dtype dtype = torch::kFloat32) {
    load(read_weights(path), variant, dtype);
  }

  /// Loads tensors that are in memory already; see above.
  void load(const TensorFile& file, const std::string& variant = "",
            torch::Dtype dtype = torch::kFloat32) {
    const Recognized recognized = recognize_as(file, "vision_transformer", variant);
    model = make_transformer(audited(file, recognized, expected_vision_transformer(recognized)),
                             recognized, dtype);
  }

  /// Fills a known variant with random weights, for benchmarks.
  ///
  /// @throws WeightsError when the variant is unknown
  void randomize(const std::string& variant, std::uint64_t seed) {
    load(random_weights(expected_vision_transformer(published_vision_transformer(variant)), seed),
         variant);
  }
};

}  // namespace homolog::inline v0_1
