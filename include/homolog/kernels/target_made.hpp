// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Data that is computed once per target, however many source pictures are matched with it.

#include <optional>

#include "homolog/kernels/upsampled_norms.hpp"

namespace homolog::inline v0_1 {

/// Data of one target's feature map, computed by the first matcher that needs it. Use a new object
/// for each target, because it does not detect that it was computed from another target of the same
/// size. Only one thread at a time may use it.
struct TargetMade {
  std::optional<UpsampledNorms> norms;  ///< of the size that was asked for last
};

}  // namespace homolog::inline v0_1
