// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A family's record as a Backbone policy on LibTorch.

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/load_transformer.hpp"
#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/weights/read_weights.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

/// A backbone of one family, as the family's record describes it: DinoV2, DinoV3, Sam, ... are its
/// names. Copies share the weights.
template <class Family>
struct TransformerOf : TransformerBackbone {
  /// A backbone without weights, with the family's statistics, position rule and input side.
  TransformerOf() { feed_as(Family::defaults({}, {})); }

  /// Loads a weights file; everything is checked before this backbone changes. Statistics, position
  /// rule and input side become the family's: set others after loading.
  ///
  /// @param variant published name the file must be, such as `dinov2_vitb14_reg`; empty accepts any
  /// @param dtype of the weights in memory: float32, bfloat16, float16 or float64
  /// @throws FileError, WeightsError naming missing, unexpected or wrongly shaped keys
  void load(const std::filesystem::path& path, const std::string& variant = "",
            torch::Dtype dtype = torch::kFloat32) {
    load(read_weights(path), variant, dtype);
  }

  /// Loads tensors that are in memory already; see above.
  void load(const TensorFile& file, const std::string& variant = "",
            torch::Dtype dtype = torch::kFloat32) {
    load_family<Family>(*this, file, variant, dtype);
  }

  /// Fills a published variant with random weights, for benchmarks.
  ///
  /// @throws WeightsError when the variant is unknown
  void randomize(const std::string& variant, std::uint64_t seed) {
    randomize_family<Family>(*this, variant, seed);
  }
};

}  // namespace homolog::inline v0_1
