// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Features of pictures whose tokens a frozen trunk keeps.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <span>
#include <vector>

#include "homolog/backbones/torch_boundary.hpp"
#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/features/feature_source.hpp"
#include "homolog/train/frozen_trunk.hpp"

namespace homolog::inline v0_1 {

/// The FeatureSource of a validation, which runs the tuned blocks on the tokens that the trunk
/// keeps of a picture. It refers to the backbone and the trunk, which must outlive it.
struct TunedSource {
  const TransformerBackbone* backbone = nullptr;  ///< whose blocks behind the trunk are run
  FrozenTrunk* trunk = nullptr;                   ///< computes what it does not keep yet

  /// Side of a patch [px].
  int patch_size() const { return backbone->patch_size(); }

  /// @return one map [rows, cols] of D floats a picture
  /// @throws ImageError, FileError for a picture that the trunk does not know yet; DeviceError when
  /// LibTorch fails
  /// @note synchronises the backbone's device
  std::vector<FeatureMap> operator()(std::span<const PictureId> pictures) const {
    if (pictures.empty()) return {};
    return at_torch_boundary("tuned features", [&] { return maps_of(pictures); });
  }

 private:
  std::vector<FeatureMap> maps_of(std::span<const PictureId> pictures) const {
    const at::NoGradGuard no_gradients;
    std::vector<torch::Tensor> tokens;
    for (const auto& picture : pictures) {
      tokens.push_back(trunk->tokens(picture.path, picture.flip));
    }
    const Size input = pictures.front().transform.image.input;
    return feature_maps(
        backbone->features_from(trunk->first_block, at::stack(tokens), input.height, input.width));
  }
};

}  // namespace homolog::inline v0_1
