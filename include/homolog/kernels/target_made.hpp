// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What is made of a target once, however many source pictures are matched with it.

#include <optional>

#include "homolog/kernels/upsampled_norms.hpp"

namespace homolog::inline v0_1 {

/// Made of one feature map by the first matcher that needs it. A new one is taken for each target,
/// as nothing here tells two targets of one size apart; for one thread at a time.
struct TargetMade {
  std::optional<UpsampledNorms> norms;  ///< of the size that was asked for last
};

}  // namespace homolog::inline v0_1
