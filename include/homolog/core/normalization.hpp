// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The statistics of a backbone's input.

#include <array>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

/// Per-channel statistics applied as (value / 255 - mean) / standard_deviation, RGB order.
struct Normalization {
  std::array<float, 3> mean{0.485F, 0.456F, 0.406F};                ///< of values in [0, 1]
  std::array<float, 3> standard_deviation{0.229F, 0.224F, 0.225F};  ///< of values in [0, 1], > 0
  /// Equal when all six numbers are, exactly.
  friend bool operator==(const Normalization&, const Normalization&) = default;
};

/// Statistics of ImageNet, which DINOv2, DINOv3 (LVD) and SAM use.
inline constexpr Normalization imagenet_normalization{};
/// Statistics of the satellite images (SAT-493M) on which a second DINOv3 ViT-L and 7B were
/// trained.
inline constexpr Normalization satellite_normalization{{0.430F, 0.411F, 0.296F},
                                                       {0.213F, 0.156F, 0.143F}};
/// Mean and standard deviation 0.5, which the timm ViTs of the augreg series use.
inline constexpr Normalization half_normalization{{0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F}};

}  // namespace homolog::inline v0_1
