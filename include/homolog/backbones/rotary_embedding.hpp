// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// DINOv3's rotary positions (RoPE over both image axes), equal to the original's
/// layers/rope_position_encoding.py and layers/attention.py in evaluation.

#include <torch/types.h>

#include <cstdint>
#include <numbers>
#include <vector>

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
inline RotaryTable rotary_table(const torch::Tensor& periods, std::int64_t rows,
                                std::int64_t cols) {
  const auto centres = [&periods](std::int64_t count) {
    const auto steps = at::arange(0.5, static_cast<double>(count), periods.options());
    return at::div(steps, static_cast<double>(count)).mul_(2.0).sub_(1.0);
  };
  const auto angles = [&periods](const torch::Tensor& centre) {
    return at::mul(centre, 2.0 * std::numbers::pi).unsqueeze(1).div(periods);  // [count, d/4]
  };
  const auto quarter = periods.size(0);
  const auto y = angles(centres(rows)).unsqueeze(1).expand({rows, cols, quarter});
  const auto x = angles(centres(cols)).unsqueeze(0).expand({rows, cols, quarter});
  const auto angle = at::cat({y, x}, 2).reshape({rows * cols, 2 * quarter});
  return {at::cos(angle), at::sin(angle)};
}

/// Rotates vectors in place: (a, b) -> (a cos - b sin, b cos + a sin), where a and b are the halves
/// of a head's dimensions.
///
/// @param x [B, N, ..., d] any floating dtype, computed in float32 at least
inline void rotate_in_place(const torch::Tensor& x, const RotaryTable& table) {
  const auto dtype = x.scalar_type();
  const bool narrow = dtype == at::kHalf || dtype == at::kBFloat16;
  const torch::Tensor wide = narrow ? x.to(at::kFloat) : x;
  const auto half = x.size(-1) / 2;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim() - 1), 1);
  shape.front() = x.size(1);
  shape.back() = half;
  const auto cosine = table.cosine.reshape(shape), sine = table.sine.reshape(shape);
  torch::Tensor a = wide.narrow(-1, 0, half), b = wide.narrow(-1, half, half);
  const torch::Tensor crossed = a * sine;
  a.mul_(cosine).addcmul_(b, sine, -1);
  b.mul_(cosine).add_(crossed);
  if (narrow) torch::Tensor(x).copy_(wide);
}

}  // namespace homolog::inline v0_1
