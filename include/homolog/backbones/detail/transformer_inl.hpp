// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of backbones/transformer.hpp.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "homolog/backbones/detail/cpu_inference.hpp"
#include "homolog/backbones/position_embedding.hpp"
#include "homolog/backbones/relative_position_attention.hpp"
#include "homolog/backbones/rotary_embedding.hpp"
#include "homolog/backbones/transformer.hpp"
#include "homolog/core/detail/compiled_once.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE TokenGrid make_token_grid(const Transformer& model, std::int64_t height,
                                         std::int64_t width) {
  TokenGrid grid{
      static_cast<int>(height / model.patch_size), static_cast<int>(width / model.patch_size), {}};
  if (model.rope_periods.defined()) {
    grid.rotary = rotary_table(model.rope_periods, grid.rows, grid.cols);
  }
  return grid;
}

HOMOLOG_INLINE torch::Tensor embed(const Transformer& model, const torch::Tensor& input,
                                   PositionInterpolation rule) {
  const auto rows = input.size(2) / model.patch_size, cols = input.size(3) / model.patch_size;
  torch::Tensor patches = at::conv2d(input, model.patch_weight, model.patch_bias,
                                     /*stride=*/{model.patch_size, model.patch_size})
                              .flatten(2)
                              .transpose(1, 2);
  const bool has_class = model.class_token.defined();
  if (model.positions.defined()) {
    patches = patches +
              interpolate_positions(model.positions.slice(1, has_class ? 1 : 0), rows, cols, rule);
  }
  if (!has_class) return patches.contiguous();
  const auto batch = input.size(0);
  torch::Tensor class_token = model.class_token;
  if (model.positions.defined()) class_token = class_token + model.positions.slice(1, 0, 1);
  std::vector<torch::Tensor> tokens{class_token.expand({batch, 1, -1})};
  if (model.register_tokens.defined()) {
    tokens.push_back(model.register_tokens.expand({batch, -1, -1}));
  }
  tokens.push_back(patches);
  return at::cat(tokens, 1);
}

namespace detail {

inline torch::Tensor attention(const Transformer& model, const TransformerBlock& block,
                               const torch::Tensor& x, const TokenGrid& grid) {
  const auto batch = x.size(0), tokens = x.size(1);
  const auto qkv = linear(x, block.qkv_weight, block.qkv_bias, block.packed)
                       .reshape({batch, tokens, 3, model.heads, model.embed_dim / model.heads});
  if (grid.rotary.cosine.defined()) {
    const auto prefix = tokens - grid.rotary.cosine.size(0);
    rotate_in_place(qkv.slice(1, prefix).slice(2, 0, 2), grid.rotary);
  }
  return linear(attend_heads(qkv), block.proj_weight, block.proj_bias, block.packed);
}

/// SAM's: padded places take part as keys and values, as in the original, so windows are cut from
/// the normalised tokens.
inline torch::Tensor windowed_attention(const Transformer& model, const TransformerBlock& block,
                                        const torch::Tensor& x, const TokenGrid& grid) {
  const bool whole = block.window == 0;
  const std::int64_t rows = whole ? grid.rows : block.window;
  const std::int64_t cols = whole ? grid.cols : block.window;
  const auto cells = whole ? x : partition_windows(x, grid.rows, grid.cols, block.window);
  const auto qkv =
      linear(cells, block.qkv_weight, block.qkv_bias, block.packed)
          .reshape({cells.size(0), rows * cols, 3, model.heads, model.embed_dim / model.heads});
  const auto mixed =
      linear(attend_with_relative_positions(qkv, rows, cols, block.rel_pos_h, block.rel_pos_w,
                                            attention_score_limit(qkv.device())),
             block.proj_weight, block.proj_bias, block.packed);
  return whole ? mixed : merge_windows(mixed, grid.rows, grid.cols, block.window);
}

HOMOLOG_INLINE torch::Tensor mlp(const TransformerBlock& block, const torch::Tensor& x) {
  torch::Tensor hidden;
  if (block.mlp_gate_weight.defined()) {
    hidden = linear(x, block.mlp_in_weight, block.mlp_in_bias, block.packed);
    torch::Tensor gate = linear(x, block.mlp_gate_weight, block.mlp_gate_bias, block.packed);
    // In place where nothing is recorded for a backward pass: hidden tensors are the largest ones.
    const bool recording = at::GradMode::is_enabled();
    gate = recording ? at::silu(gate) : at::silu_(gate);
    hidden = recording ? gate * hidden : hidden.mul_(gate);
  } else {
    hidden = linear(x, block.mlp_in_weight, block.mlp_in_bias, block.packed, Activation::gelu);
  }
  return linear(hidden, block.mlp_out_weight, block.mlp_out_bias, block.packed);
}

}  // namespace detail

HOMOLOG_INLINE torch::Tensor apply_block(const Transformer& model, const TransformerBlock& block,
                                         torch::Tensor x, const TokenGrid& grid) {
  const auto add_scaled = [](const torch::Tensor& sum, const torch::Tensor& branch,
                             const torch::Tensor& scale) {
    return scale.defined() ? at::addcmul(sum, branch, scale) : sum + branch;
  };
  const auto normed = detail::layer_norm(model, x, block.norm1_weight, block.norm1_bias);
  x = add_scaled(x,
                 block.rel_pos_h.defined() ? detail::windowed_attention(model, block, normed, grid)
                                           : detail::attention(model, block, normed, grid),
                 block.scale1);
  return add_scaled(
      x, detail::mlp(block, detail::layer_norm(model, x, block.norm2_weight, block.norm2_bias)),
      block.scale2);
}

HOMOLOG_INLINE torch::Tensor apply_neck(const Transformer& model, const torch::Tensor& x,
                                        const TokenGrid& grid) {
  const Neck& neck = model.neck;
  torch::Tensor cells = at::linear(x, neck.conv1_weight.flatten(1));
  cells = detail::layer_norm(model, cells, neck.norm1_weight, neck.norm1_bias);
  const auto map = cells.reshape({x.size(0), grid.rows, grid.cols, -1}).permute({0, 3, 1, 2});
  cells = at::conv2d(map, neck.conv2_weight, {}, /*stride=*/{1, 1}, /*padding=*/{1, 1})
              .permute({0, 2, 3, 1})
              .reshape({x.size(0), grid.rows * grid.cols, -1});
  return detail::layer_norm(model, cells, neck.norm2_weight, neck.norm2_bias);
}

HOMOLOG_INLINE Features split_tokens(const Transformer& model, const torch::Tensor& tokens,
                                     const TokenGrid& grid) {
  const int registers = model.registers();
  Features features{tokens, {}, {}, grid.rows, grid.cols};
  if (!model.class_token.defined()) return features;
  features.class_token = tokens.select(1, 0);
  if (registers > 0) features.register_tokens = tokens.slice(1, 1, 1 + registers);
  features.patch_tokens = tokens.slice(1, 1 + registers);
  return features;
}

}  // namespace homolog::inline v0_1
