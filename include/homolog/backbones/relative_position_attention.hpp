// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// SAM's attention: whole-image or in windows, with relative positions decomposed by axis, equal to
/// segment-anything's image_encoder.py. Only a part of the attention scores is in memory at a time.

#include <torch/types.h>

#include <cstdint>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

/// Relative position vectors for every pair of a query's and a key's coordinate on one axis.
///
/// @param table [L,d]; resized linearly along its rows when L is not 2 * max(queries, keys) - 1
/// @return [queries, keys, d], from coordinate differences; the shorter side is stretched
torch::Tensor relative_positions(const torch::Tensor& table, std::int64_t queries,
                                 std::int64_t keys);

namespace detail {

/// The most scores of one call of the attention kernel [elements]: 16 MiB of float32 on the CPU;
/// 512 MiB on a GPU, which smaller parts would not keep busy.
inline std::int64_t attention_score_limit(const torch::Device& device) {
  return std::int64_t{1} << (device.is_cpu() ? 22 : 27);
}

/// softmax(q k^T / sqrt(d) + q . Rh + q . Rw) v over one grid, in pieces of queries, heads and
/// pictures.
///
/// @param qkv [B, rows * cols, 3, heads, d]
/// @param limit [elements] scores of a piece, of which it takes at least one row of cells
/// @return [B, rows * cols, heads * d]
torch::Tensor attend_with_relative_positions(const torch::Tensor& qkv, std::int64_t rows,
                                             std::int64_t cols, const torch::Tensor& rel_pos_h,
                                             const torch::Tensor& rel_pos_w, std::int64_t limit);

}  // namespace detail

/// A grid of tokens cut into windows, the last row and column of them filled up with zeros.
///
/// @param x [B, rows * cols, D]
/// @param window [cells] side of a window
/// @return [B * windows, window * window, D], pictures outermost, windows row-major
torch::Tensor partition_windows(const torch::Tensor& x, std::int64_t rows, std::int64_t cols,
                                std::int64_t window);

/// The reverse of partition_windows(): rows and columns are those of the grid without its filling.
///
/// @param windows [B * windows, window * window, D]
/// @return [B, rows * cols, D]
torch::Tensor merge_windows(const torch::Tensor& windows, std::int64_t rows, std::int64_t cols,
                            std::int64_t window);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/backbones/detail/relative_position_attention_inl.hpp"
#endif
