// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of backbones/rotary_embedding.hpp.

#include <torch/types.h>

#include <cstdint>
#include <numbers>
#include <vector>

#include "homolog/backbones/rotary_embedding.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE RotaryTable rotary_table(const torch::Tensor& periods, std::int64_t rows,
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

HOMOLOG_INLINE void rotate_in_place(const torch::Tensor& x, const RotaryTable& table) {
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
