// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Learned position tables resized to another patch grid, by each of the rules in use. Weights must
/// be used with the rule they were published with: another rule changes every feature.

#include <torch/types.h>

#include <cmath>
#include <cstdint>

#include "homolog/backbones/position_interpolation.hpp"
#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

/// Resizes the patch part of a position table.
///
/// Follows DINOv2's vision_transformer.py and Hugging Face's Dinov2Embeddings; the table is
/// returned untouched when the grid is the square one it was made for.
///
/// @param table [1, n0*n0, D] any floating dtype, any device; resized in float32
/// @return [1, rows*cols, D] dtype and device of `table`
/// @throws WeightsError when the table's row count is no square number
inline torch::Tensor interpolate_positions(const torch::Tensor& table, std::int64_t rows,
                                           std::int64_t cols, PositionInterpolation rule) {
  const auto count = table.size(1);
  const auto side = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(count))));
  if (side * side != count) {
    throw WeightsError(detail::text("position table has ", count, " rows, expected a square"));
  }
  if (rows == side && cols == side) return table;
  const torch::Tensor grid =
      table.to(at::kFloat).reshape({1, side, side, -1}).permute({0, 3, 1, 2}).contiguous();
  torch::Tensor resized;
  switch (rule) {
    case PositionInterpolation::hub:
      resized = at::upsample_bicubic2d(
          grid, {rows, cols}, false, (static_cast<double>(rows) + 0.1) / static_cast<double>(side),
          (static_cast<double>(cols) + 0.1) / static_cast<double>(side));
      break;
    case PositionInterpolation::hub_registers:
      resized = at::_upsample_bicubic2d_aa(grid, {rows, cols}, false);
      break;
    case PositionInterpolation::huggingface:
      resized = at::upsample_bicubic2d(grid, {rows, cols}, false);
      break;
  }
  return resized.permute({0, 2, 3, 1}).reshape({1, rows * cols, -1}).to(table.scalar_type());
}

}  // namespace homolog::inline v0_1
