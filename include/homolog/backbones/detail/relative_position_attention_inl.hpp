// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of backbones/relative_position_attention.hpp.

#include <torch/types.h>

#include <algorithm>
#include <cstdint>

#include "homolog/backbones/relative_position_attention.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE torch::Tensor relative_positions(const torch::Tensor& table, std::int64_t queries,
                                                std::int64_t keys) {
  const auto needed = 2 * (std::max)(queries, keys) - 1;
  torch::Tensor rows = table;
  if (table.size(0) != needed) {
    rows = at::upsample_linear1d(table.to(at::kFloat).t().unsqueeze(0), {needed}, false)
               .squeeze(0)
               .t()
               .to(table.scalar_type());
  }
  const double query_step =
      (std::max)(static_cast<double>(keys) / static_cast<double>(queries), 1.0);
  const double key_step = (std::max)(static_cast<double>(queries) / static_cast<double>(keys), 1.0);
  const auto options = torch::TensorOptions().dtype(at::kFloat).device(table.device());
  const auto query = at::arange(queries, options).mul_(query_step).unsqueeze(1);
  const auto key = at::arange(keys, options).mul_(key_step).unsqueeze(0);
  const auto index = (query - key + static_cast<double>(keys - 1) * key_step).to(at::kLong);
  return rows.index_select(0, index.flatten()).reshape({queries, keys, -1});
}

namespace detail {

HOMOLOG_INLINE torch::Tensor attend_with_relative_positions(const torch::Tensor& qkv,
                                                            std::int64_t rows, std::int64_t cols,
                                                            const torch::Tensor& rel_pos_h,
                                                            const torch::Tensor& rel_pos_w,
                                                            std::int64_t limit) {
  const auto batch = qkv.size(0), tokens = rows * cols, heads = qkv.size(3), dim = qkv.size(4);
  const auto query = qkv.select(2, 0).transpose(1, 2);  // [B, heads, rows * cols, d]
  const auto key = qkv.select(2, 1).transpose(1, 2);
  const auto value = qkv.select(2, 2).transpose(1, 2);
  const auto along_rows = relative_positions(rel_pos_h, rows, rows);  // [rows, rows, d]
  const auto along_cols = relative_positions(rel_pos_w, cols, cols);  // [cols, cols, d]
  torch::Tensor mixed = at::empty({batch, tokens, heads, dim}, qkv.options());

  const auto head_step = std::clamp<std::int64_t>(limit / (tokens * tokens), 1, heads);
  const auto batch_step =
      head_step < heads ? 1 : std::clamp<std::int64_t>(limit / (tokens * tokens * heads), 1, batch);
  const auto row_step = std::clamp<std::int64_t>(limit / (cols * tokens), 1, rows);
  for (std::int64_t b = 0; b < batch; b += batch_step) {
    const auto b_end = (std::min)(b + batch_step, batch);
    for (std::int64_t h = 0; h < heads; h += head_step) {
      const auto h_end = (std::min)(h + head_step, heads);
      const auto part = [&](const torch::Tensor& all) {
        return all.slice(0, b, b_end).slice(1, h, h_end);
      };
      const auto keys = part(key), values = part(value);
      for (std::int64_t row = 0; row < rows; row += row_step) {
        const auto row_end = (std::min)(row + row_step, rows);
        const auto queries = part(query).slice(2, row * cols, row_end * cols);
        const auto grid =
            queries.reshape({b_end - b, h_end - h, row_end - row, cols, dim});  // b h i j d
        const auto by_row =
            at::einsum("bhijd,ikd->bhijk", {grid, along_rows.slice(0, row, row_end)});
        const auto by_col = at::einsum("bhijd,jld->bhijl", {grid, along_cols});
        const auto bias = (by_row.unsqueeze(-1) + by_col.unsqueeze(-2))
                              .reshape({b_end - b, h_end - h, (row_end - row) * cols, tokens});
        mixed.slice(0, b, b_end)
            .slice(1, row * cols, row_end * cols)
            .slice(2, h, h_end)
            .copy_(at::scaled_dot_product_attention(queries, keys, values, bias).transpose(1, 2));
      }
    }
  }
  return mixed.reshape({batch, tokens, heads * dim});
}

}  // namespace detail

HOMOLOG_INLINE torch::Tensor partition_windows(const torch::Tensor& x, std::int64_t rows,
                                               std::int64_t cols, std::int64_t window) {
  const auto down = (rows + window - 1) / window, across = (cols + window - 1) / window;
  torch::Tensor grid = x.reshape({x.size(0), rows, cols, x.size(2)});
  if (rows % window != 0 || cols % window != 0) {
    grid = at::constant_pad_nd(grid, {0, 0, 0, across * window - cols, 0, down * window - rows});
  }
  return grid.reshape({x.size(0), down, window, across, window, x.size(2)})
      .transpose(2, 3)
      .reshape({-1, window * window, x.size(2)});
}

HOMOLOG_INLINE torch::Tensor merge_windows(const torch::Tensor& windows, std::int64_t rows,
                                           std::int64_t cols, std::int64_t window) {
  const auto down = (rows + window - 1) / window, across = (cols + window - 1) / window;
  return windows.reshape({-1, down, across, window, window, windows.size(2)})
      .transpose(2, 3)
      .reshape({-1, down * window, across * window, windows.size(2)})
      .slice(1, 0, rows)
      .slice(2, 0, cols)
      .reshape({-1, rows * cols, windows.size(2)});
}

}  // namespace homolog::inline v0_1
