// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Features of pictures whose tokens a frozen trunk keeps.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "homolog/backbones/detail/torch_boundary.hpp"
#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/features/feature_source.hpp"
#include "homolog/train/frozen_trunk.hpp"

namespace homolog::inline v0_1 {

/// The FeatureSource of a validation: the tuned blocks on what the trunk keeps of a picture. Refers
/// to both, which must outlive it.
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
    return detail::at_torch_boundary("tuned features", [&] { return maps_of(pictures); });
  }

 private:
  std::vector<FeatureMap> maps_of(std::span<const PictureId> pictures) const {
    const at::NoGradGuard no_gradients;
    std::vector<torch::Tensor> tokens;
    for (const auto& picture : pictures) {
      tokens.push_back(trunk->tokens(picture.path, picture.flip));
    }
    const Size input = pictures.front().transform.image.input;
    const Features features =
        backbone->features_from(trunk->first_block, at::stack(tokens), input.height, input.width);
    const auto patches = features.patch_tokens.to(at::kCPU, at::kFloat).contiguous();
    std::vector<FeatureMap> maps;
    for (std::int64_t i = 0; i < patches.size(0); ++i) {
      FeatureMap map(features.rows, features.cols, static_cast<int>(patches.size(2)));
      std::memcpy(map.values.data(), patches[i].const_data_ptr<float>(), map.bytes());
      maps.push_back(std::move(map));
    }
    return maps;
  }
};

}  // namespace homolog::inline v0_1
