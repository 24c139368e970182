// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The pre-norm vision transformer that DINOv2, DINOv3, SAM's image encoder and the plain ViT
/// share: weights as a struct of tensors, the forward pass as free functions.

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "homolog/backbones/detail/cpu_inference.hpp"
#include "homolog/backbones/position_interpolation.hpp"
#include "homolog/backbones/rotary_embedding.hpp"

namespace homolog::inline v0_1 {

/// Whether a forward pass on this processor without gradients, in this dtype, runs its linear
/// layers on weights that oneDNN has packed; LibTorch's own operators run them otherwise. Tried
/// once.
inline bool packs_linear_layers(at::ScalarType dtype) {
  return detail::OneDnnLinear::gives_the_same(dtype);
}

/// One block. Tensors a model does without are undefined: LayerScale gammas outside DINO, a gate
/// unless the MLP is a SwiGLU, relative positions outside SAM, a bias of queries, keys and values
/// in DINOv3's largest model.
struct TransformerBlock {
  torch::Tensor norm1_weight;     ///< [D] before the attention
  torch::Tensor norm1_bias;       ///< [D]
  torch::Tensor qkv_weight;       ///< [3D,D] queries, keys, values
  torch::Tensor qkv_bias;         ///< [3D]
  torch::Tensor rel_pos_h;        ///< [L,D/heads] SAM's relative positions along rows
  torch::Tensor rel_pos_w;        ///< [L,D/heads] along columns
  int window = 0;                 ///< [cells] SAM's attention window; 0: whole image
  torch::Tensor proj_weight;      ///< [D,D] of the attention's output
  torch::Tensor proj_bias;        ///< [D]
  torch::Tensor scale1;           ///< [D] LayerScale of the attention
  torch::Tensor scale2;           ///< [D] LayerScale of the MLP
  torch::Tensor norm2_weight;     ///< [D] before the MLP
  torch::Tensor norm2_bias;       ///< [D]
  torch::Tensor mlp_gate_weight;  ///< [H,D] of a SwiGLU
  torch::Tensor mlp_gate_bias;    ///< [H] of a SwiGLU
  torch::Tensor mlp_in_weight;    ///< [H,D]
  torch::Tensor mlp_in_bias;      ///< [H]
  torch::Tensor mlp_out_weight;   ///< [D,H]
  torch::Tensor mlp_out_bias;     ///< [D]
  /// Copies of the matrices above in the order that oneDNN works in; see apply_block().
  mutable detail::PackedWeights packed;
};

/// SAM's convolutions after the last block; undefined elsewhere.
struct Neck {
  torch::Tensor conv1_weight;  ///< [C,D,1,1]
  torch::Tensor norm1_weight;  ///< [C] over the channels of a cell
  torch::Tensor norm1_bias;    ///< [C]
  torch::Tensor conv2_weight;  ///< [C,C,3,3]
  torch::Tensor norm2_weight;  ///< [C] over the channels of a cell
  torch::Tensor norm2_bias;    ///< [C]
};

/// A vision transformer's weights and fixed sizes; what a family does without is undefined.
struct Transformer {
  int embed_dim = 0;                     ///< D, the length of a token
  int heads = 0;                         ///< of the attention; a divisor of D
  int patch_size = 0;                    ///< [px]
  double norm_epsilon = 1e-6;            ///< added to the variance in every LayerNorm
  bool crops_input = false;              ///< ignore what is beyond the last whole patch (DINOv3)
  torch::Tensor patch_weight;            ///< [D,3,P,P]
  torch::Tensor patch_bias;              ///< [D]
  torch::Tensor class_token;             ///< [1,1,D]
  torch::Tensor register_tokens;         ///< [1,R,D]
  torch::Tensor positions;               ///< [1,1+n*n,D], class row first; [1,n*n,D] without one
  torch::Tensor rope_periods;            ///< [D/heads/4] float32 whatever the other weights are
  std::vector<TransformerBlock> blocks;  ///< in the order they are run
  torch::Tensor norm_weight;             ///< [D] after the last block
  torch::Tensor norm_bias;               ///< [D]
  Neck neck;                             ///< SAM's, instead of that norm

  /// R, the register tokens between class token and patches; 0 without any.
  int registers() const {
    return register_tokens.defined() ? static_cast<int>(register_tokens.size(1)) : 0;
  }
};

/// Calls `visit(name, tensor)` on every defined weight of block `index`, in a fixed order. Names
/// are this struct's own, the same for every family: `blocks.3.attn.qkv.weight`,
/// `blocks.3.mlp.in.bias`.
template <class Visit>
void for_each_block_weight(TransformerBlock& block, std::size_t index, const Visit& visit) {
  const std::string prefix = "blocks." + std::to_string(index) + ".";
  const std::pair<const char*, torch::Tensor*> weights[] = {
      {"norm1.weight", &block.norm1_weight},
      {"norm1.bias", &block.norm1_bias},
      {"attn.qkv.weight", &block.qkv_weight},
      {"attn.qkv.bias", &block.qkv_bias},
      {"attn.rel_pos_h", &block.rel_pos_h},
      {"attn.rel_pos_w", &block.rel_pos_w},
      {"attn.proj.weight", &block.proj_weight},
      {"attn.proj.bias", &block.proj_bias},
      {"ls1.gamma", &block.scale1},
      {"ls2.gamma", &block.scale2},
      {"norm2.weight", &block.norm2_weight},
      {"norm2.bias", &block.norm2_bias},
      {"mlp.gate.weight", &block.mlp_gate_weight},
      {"mlp.gate.bias", &block.mlp_gate_bias},
      {"mlp.in.weight", &block.mlp_in_weight},
      {"mlp.in.bias", &block.mlp_in_bias},
      {"mlp.out.weight", &block.mlp_out_weight},
      {"mlp.out.bias", &block.mlp_out_bias}};
  for (const auto& [name, tensor] : weights) {
    if (tensor->defined()) visit(prefix + name, *tensor);
  }
}

/// Calls `visit(name, tensor)` on the defined weights behind the last block: the norm, or SAM's
/// neck.
template <class Visit>
void for_each_final_weight(Transformer& model, const Visit& visit) {
  const std::pair<const char*, torch::Tensor*> weights[] = {
      {"norm.weight", &model.norm_weight},         {"norm.bias", &model.norm_bias},
      {"neck.0.weight", &model.neck.conv1_weight}, {"neck.1.weight", &model.neck.norm1_weight},
      {"neck.1.bias", &model.neck.norm1_bias},     {"neck.2.weight", &model.neck.conv2_weight},
      {"neck.3.weight", &model.neck.norm2_weight}, {"neck.3.bias", &model.neck.norm2_bias}};
  for (const auto& [name, tensor] : weights) {
    if (tensor->defined()) visit(std::string(name), *tensor);
  }
}

/// Calls `visit(name, tensor)` on every defined weight, in a fixed order; `rope_periods` is not a
/// weight.
template <class Visit>
void for_each_weight(Transformer& model, const Visit& visit) {
  const std::pair<const char*, torch::Tensor*> weights[] = {
      {"patch_embed.weight", &model.patch_weight},
      {"patch_embed.bias", &model.patch_bias},
      {"class_token", &model.class_token},
      {"register_tokens", &model.register_tokens},
      {"positions", &model.positions}};
  for (const auto& [name, tensor] : weights) {
    if (tensor->defined()) visit(std::string(name), *tensor);
  }
  for (std::size_t i = 0; i < model.blocks.size(); ++i) {
    for_each_block_weight(model.blocks[i], i, visit);
  }
  for_each_final_weight(model, visit);
}

/// What a forward pass gives; tokens a model does without are undefined.
struct Features {
  torch::Tensor patch_tokens;     ///< [B, rows*cols, D], or SAM's neck map [B, rows*cols, C]
  torch::Tensor class_token;      ///< [B, D]
  torch::Tensor register_tokens;  ///< [B, R, D]
  int rows = 0;                   ///< [cells]
  int cols = 0;                   ///< [cells]
};

/// The patch grid of one input, with what all blocks share.
struct TokenGrid {
  int rows = 0;        ///< [cells]
  int cols = 0;        ///< [cells]
  RotaryTable rotary;  ///< undefined without rotary positions
};

/// The grid of an input; angles of rotary positions lie on the model's device.
///
/// @param height [px] @param width [px] sides of the input; the remainder of a patch does not count
TokenGrid make_token_grid(const Transformer& model, std::int64_t height, std::int64_t width);

/// Tokens that enter block 0: patches with learned positions where the model has them, class token
/// and registers before them.
///
/// @param input [B,3,H,W] dtype and device of the weights; pixels beyond the last whole patch of a
///   row or column are ignored
/// @return [B, 1+R+N, D], or [B, N, D] without a class token
torch::Tensor embed(const Transformer& model, const torch::Tensor& input,
                    PositionInterpolation rule);

namespace detail {

inline torch::Tensor layer_norm(const Transformer& model, const torch::Tensor& x,
                                const torch::Tensor& weight, const torch::Tensor& bias) {
  return at::layer_norm(x, {weight.size(0)}, weight, bias, model.norm_epsilon);
}

torch::Tensor mlp(const TransformerBlock& block, const torch::Tensor& x);

}  // namespace detail

/// One pre-norm block: x + scale1 * attention(norm1(x)), then the same with the MLP.
///
/// On the CPU, without gradients and in float32 or bfloat16, its matrices are packed at the first
/// call, and again after a change; the packed copies take as much memory as the matrices.
///
/// @param x [B,T,D] @return [B,T,D]
torch::Tensor apply_block(const Transformer& model, const TransformerBlock& block, torch::Tensor x,
                          const TokenGrid& grid);

/// SAM's neck: convolution 1x1, norm, convolution 3x3, norm, each norm over the channels of a cell.
///
/// @param x [B, rows*cols, D] @return [B, rows*cols, C]
torch::Tensor apply_neck(const Transformer& model, const torch::Tensor& x, const TokenGrid& grid);

/// Splits [B, 1+R+N, D] into class token, registers and patches.
Features split_tokens(const Transformer& model, const torch::Tensor& tokens, const TokenGrid& grid);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/backbones/detail/transformer_inl.hpp"
#endif
