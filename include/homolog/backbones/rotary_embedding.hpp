// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINOv3's rotary positions (RoPE over both image axes), equal to the original's
/// layers/rope_position_encoding.py and layers/attention.py in evaluation.

#include <torch/types.h>

#include <cstdint>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

/// Cosines and sines of the angles by which the patches of one grid are rotated.
struct RotaryTable {
  torch::Tensor cosine;  ///< [N, d/2] float32, patches row-major
  torch::Tensor sine;    ///< [N, d/2] float32, as `cosine`
};

/// Angles of a grid: 2 pi u / period, u the patch centre's y and x in [-1, 1]; the first quarter of
/// a head's dimensions is rotated by the angles of y, the second by those of x, and the second half
/// is paired with the first, see rotate_in_place().
///
/// @param periods [d/4] float32; the order of the float32 operations is the original's
/// @return on the device of `periods`
RotaryTable rotary_table(const torch::Tensor& periods, std::int64_t rows, std::int64_t cols);

/// Rotates vectors in place: (a, b) -> (a cos - b sin, b cos + a sin), where a and b are the halves
/// of a head's dimensions.
///
/// @param x [B, N, ..., d] any floating dtype, computed in float32 at least
void rotate_in_place(const torch::Tensor& x, const RotaryTable& table);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/backbones/detail/rotary_embedding_inl.hpp"
#endif
