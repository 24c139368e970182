// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// SAM's image encoder (ViT-B, L, H): Kirillov et al., "Segment Anything", numerically equal to the
/// original code.

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>

#include "homolog/backbones/load_transformer.hpp"
#include "homolog/backbones/transformer_backbone.hpp"

namespace homolog::inline v0_1 {

/// SAM's image encoder as a Backbone policy: its feature is the neck's map of 256 channels, or the
/// raw output of a block when `setting.layer` names one before the last (or `setting.final_norm` is
/// off). Inputs of other sizes than 1024 x 1024 resize the position table (bicubic, antialiased, as
/// timm does) and the relative positions (linear, as the original does).
///
/// @code
/// homolog::Pipeline<homolog::Sam> pipeline;
/// pipeline.backbone.load("sam_vit_l_0b3195.pth");
/// pipeline.setting.resize = homolog::Resize::longest_side;  // SAM's own; default: squash
/// pipeline.setting.filter = homolog::ResizeFilter::bilinear;
/// @endcode
struct Sam : TransformerBackbone {
  Sam() { position_interpolation = PositionInterpolation::hub_registers; }

  /// [px] side of the input that the position table was made for: 1024.
  int default_image_size() const {
    if (!model.positions.defined()) return 1024;
    const auto cells = static_cast<double>(model.positions.size(1));
    return static_cast<int>(std::lround(std::sqrt(cells))) * model.patch_size;
  }

  /// Loads a weights file; everything is checked before this backbone changes. What else a SAM
  /// holds (prompt encoder, mask decoder) is ignored.
  ///
  /// @param variant name the file must be, such as `sam_vit_l`; empty accepts any
  /// @param dtype of the weights in memory: float32, bfloat16, float16 or float64
  /// @throws FileError, WeightsError naming missing, unexpected or wrongly shaped keys
  void load(const std::filesystem::path& path, const std::string& variant = "",
            torch::Dtype dtype = torch::kFloat32) {
    load(read_weights(path), variant, dtype);
  }

  /// Loads tensors that are in memory already; see above.
  void load(const TensorFile& file, const std::string& variant = "",
            torch::Dtype dtype = torch::kFloat32) {
    const Recognized recognized = recognize_as(file, "sam", variant);
    model = make_transformer(
        audited(file, recognized, expected_sam(recognized), sam_ignored_key_prefixes), recognized,
        dtype);
  }

  /// Fills a published variant with random weights, for benchmarks.
  ///
  /// @throws WeightsError when the variant is unknown
  void randomize(const std::string& variant, std::uint64_t seed) {
    load(random_weights(expected_sam(published_sam(variant)), seed), variant);
  }
};

}  // namespace homolog::inline v0_1
