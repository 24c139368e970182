// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The plain pre-norm vision transformer that DINOv2 and ViT share: weights as a struct of tensors,
/// the forward pass as free functions.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "homolog/backbones/detail/torch_boundary.hpp"
#include "homolog/backbones/position_embedding.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/input.hpp"

namespace homolog {

/// Which vectors of a block are the features.
enum class Facet {
  token,  ///< the block's output
  key     ///< the block's attention keys, all heads concatenated
};

/// One block. LayerScale gammas are undefined in models without LayerScale; `mlp_in` holds the
/// gate and the value stacked, gate first, when the MLP is a SwiGLU.
struct TransformerBlock {
  torch::Tensor norm1_weight, norm1_bias;      ///< [D]
  torch::Tensor qkv_weight, qkv_bias;          ///< [3D,D], [3D]: queries, keys, values
  torch::Tensor proj_weight, proj_bias;        ///< [D,D], [D]
  torch::Tensor scale1, scale2;                ///< [D] LayerScale
  torch::Tensor norm2_weight, norm2_bias;      ///< [D]
  torch::Tensor mlp_in_weight, mlp_in_bias;    ///< [H,D] or SwiGLU [2H,D]
  torch::Tensor mlp_out_weight, mlp_out_bias;  ///< [D,H]
};

/// A vision transformer's weights and fixed sizes.
struct Transformer {
  int embed_dim = 0;
  int heads = 0;
  int patch_size = 0;  ///< [px]
  double norm_epsilon = 1e-6;
  bool swiglu = false;
  torch::Tensor patch_weight, patch_bias;  ///< [D,3,P,P], [D]
  torch::Tensor class_token;               ///< [1,1,D]
  torch::Tensor register_tokens;           ///< [1,R,D], undefined without registers
  torch::Tensor positions;                 ///< [1,1+n*n,D], class row first
  std::vector<TransformerBlock> blocks;
  torch::Tensor norm_weight, norm_bias;  ///< [D]

  int registers() const {
    return register_tokens.defined() ? static_cast<int>(register_tokens.size(1)) : 0;
  }
};

/// Calls `visit(tensor)` on every defined weight, in a fixed order.
template <class Visit>
void for_each_weight(Transformer& model, const Visit& visit) {
  const auto touch = [&visit](torch::Tensor& tensor) {
    if (tensor.defined()) visit(tensor);
  };
  for (auto* tensor :
       {&model.patch_weight, &model.patch_bias, &model.class_token, &model.register_tokens,
        &model.positions, &model.norm_weight, &model.norm_bias}) {
    touch(*tensor);
  }
  for (auto& block : model.blocks) {
    for (auto* tensor : {&block.norm1_weight, &block.norm1_bias, &block.qkv_weight, &block.qkv_bias,
                         &block.proj_weight, &block.proj_bias, &block.scale1, &block.scale2,
                         &block.norm2_weight, &block.norm2_bias, &block.mlp_in_weight,
                         &block.mlp_in_bias, &block.mlp_out_weight, &block.mlp_out_bias}) {
      touch(*tensor);
    }
  }
}

/// What a forward pass gives.
struct Features {
  torch::Tensor patch_tokens;     ///< [B, rows*cols, D]
  torch::Tensor class_token;      ///< [B, D]
  torch::Tensor register_tokens;  ///< [B, R, D], undefined without registers
  int rows = 0;                   ///< [cells]
  int cols = 0;                   ///< [cells]
};

/// Tokens that enter block 0: patches with positions, class token and registers before them.
///
/// @param input [B,3,H,W] dtype and device of the weights, H and W multiples of the patch size
/// @return [B, 1+R+N, D]
inline torch::Tensor embed(const Transformer& model, const torch::Tensor& input,
                           PositionInterpolation rule) {
  const auto rows = input.size(2) / model.patch_size, cols = input.size(3) / model.patch_size;
  const torch::Tensor patches = at::conv2d(input, model.patch_weight, model.patch_bias,
                                           /*stride=*/{model.patch_size, model.patch_size})
                                    .flatten(2)
                                    .transpose(1, 2);
  const auto batch = input.size(0);
  const torch::Tensor table = interpolate_positions(model.positions.slice(1, 1), rows, cols, rule);
  std::vector<torch::Tensor> tokens{
      (model.class_token + model.positions.slice(1, 0, 1)).expand({batch, 1, -1})};
  if (model.register_tokens.defined()) {
    tokens.push_back(model.register_tokens.expand({batch, -1, -1}));
  }
  tokens.push_back(patches + table);
  return at::cat(tokens, 1);
}

namespace detail {

inline torch::Tensor layer_norm(const Transformer& model, const torch::Tensor& x,
                                const torch::Tensor& weight, const torch::Tensor& bias) {
  return at::layer_norm(x, {model.embed_dim}, weight, bias, model.norm_epsilon);
}

inline torch::Tensor attention(const Transformer& model, const TransformerBlock& block,
                               const torch::Tensor& x) {
  const auto batch = x.size(0), tokens = x.size(1);
  const auto qkv = at::linear(x, block.qkv_weight, block.qkv_bias)
                       .reshape({batch, tokens, 3, model.heads, model.embed_dim / model.heads})
                       .permute({2, 0, 3, 1, 4});
  const auto mixed = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
  return at::linear(mixed.transpose(1, 2).reshape({batch, tokens, model.embed_dim}),
                    block.proj_weight, block.proj_bias);
}

inline torch::Tensor mlp(const Transformer& model, const TransformerBlock& block,
                         const torch::Tensor& x) {
  torch::Tensor hidden = at::linear(x, block.mlp_in_weight, block.mlp_in_bias);
  if (model.swiglu) {
    const auto halves = hidden.chunk(2, -1);
    hidden = at::silu(halves[0]) * halves[1];
  } else {
    hidden = at::gelu(hidden);
  }
  return at::linear(hidden, block.mlp_out_weight, block.mlp_out_bias);
}

}  // namespace detail

/// One pre-norm block: x + scale1 * attention(norm1(x)), then the same with the MLP.
///
/// @param x [B,T,D] @return [B,T,D]
inline torch::Tensor apply_block(const Transformer& model, const TransformerBlock& block,
                                 torch::Tensor x) {
  const auto add_scaled = [](const torch::Tensor& sum, const torch::Tensor& branch,
                             const torch::Tensor& scale) {
    return scale.defined() ? at::addcmul(sum, branch, scale) : sum + branch;
  };
  x = add_scaled(
      x,
      detail::attention(model, block,
                        detail::layer_norm(model, x, block.norm1_weight, block.norm1_bias)),
      block.scale1);
  return add_scaled(
      x,
      detail::mlp(model, block, detail::layer_norm(model, x, block.norm2_weight, block.norm2_bias)),
      block.scale2);
}

/// Splits [B, 1+R+N, D] into class token, registers and patches.
inline Features split_tokens(const Transformer& model, const torch::Tensor& tokens, int rows,
                             int cols) {
  const int registers = model.registers();
  Features features;
  features.class_token = tokens.select(1, 0);
  if (registers > 0) features.register_tokens = tokens.slice(1, 1, 1 + registers);
  features.patch_tokens = tokens.slice(1, 1 + registers);
  features.rows = rows;
  features.cols = cols;
  return features;
}

/// A transformer as a Backbone policy; DinoV2 and VisionTransformer add how it is loaded.
struct TransformerBackbone {
  struct Setting {
    int layer = -1;          ///< 0-based block whose output is used; -1 is the last
    bool final_norm = true;  ///< apply the model's last LayerNorm to that output (token facet)
    Facet facet = Facet::token;
  };

  Setting setting;
  Transformer model;
  PositionInterpolation position_interpolation = PositionInterpolation::hub;
  Normalization input_normalization = imagenet_normalization;

  int patch_size() const { return model.patch_size; }
  Normalization normalization() const { return input_normalization; }

  /// Index of the block that `setting.layer` names.
  ///
  /// @throws SettingError when the model has no such block
  int layer() const {
    const int depth = static_cast<int>(model.blocks.size());
    if (depth == 0) throw SettingError("backbone: no weights are loaded");
    const int index = setting.layer == -1 ? depth - 1 : setting.layer;
    if (index < 0 || index >= depth) {
      throw SettingError(detail::text("layer ", setting.layer,
                                      " does not exist; this backbone has ", "blocks 0 to ",
                                      depth - 1));
    }
    return index;
  }

  /// Keeps the first `count` blocks only, so that the last kept block is followed by the final
  /// norm.
  ///
  /// @throws SettingError when the model has fewer blocks
  void keep_blocks(int count) {
    if (count < 1 || static_cast<std::size_t>(count) > model.blocks.size()) {
      throw SettingError(
          detail::text("blocks ", count, ": this backbone has ", model.blocks.size()));
    }
    model.blocks.resize(static_cast<std::size_t>(count));
  }

  /// Moves the weights to a device and dtype.
  ///
  /// @throws DeviceError when the device is absent or out of memory
  void to(torch::Device device, torch::Dtype dtype = torch::kFloat32) {
    detail::at_torch_boundary(detail::text("moving weights to ", device.str()), [&] {
      for_each_weight(model, [&](torch::Tensor& tensor) { tensor = tensor.to(device, dtype); });
    });
  }

  /// Features of a normalised input; blocks after the chosen layer are not run.
  ///
  /// @param input [B,3,H,W] float32, any device; H and W multiples of the patch size
  /// @return dtype and device of the weights; differentiable where gradients are enabled
  /// @throws ShapeError when the input's shape does not fit, DeviceError when LibTorch fails
  Features features(const torch::Tensor& input) const {
    const int last = layer();
    if (input.dim() != 4 || input.size(0) < 1 || input.size(1) != 3 || input.size(2) < 1 ||
        input.size(3) < 1 || input.size(2) % model.patch_size != 0 ||
        input.size(3) % model.patch_size != 0) {
      throw ShapeError(detail::text("backbone input: expected [B, 3, H, W] with H and W multiples ",
                                    "of ", model.patch_size, ", got ",
                                    detail::shape_text(input.sizes())));
    }
    return detail::at_torch_boundary("backbone forward", [&] {
      const int rows = static_cast<int>(input.size(2)) / model.patch_size;
      const int cols = static_cast<int>(input.size(3)) / model.patch_size;
      torch::Tensor tokens =
          embed(model, input.to(model.patch_weight.device(), model.patch_weight.scalar_type()),
                position_interpolation);
      for (int i = 0; i < last; ++i) {
        tokens = apply_block(model, model.blocks[static_cast<std::size_t>(i)], tokens);
      }
      const TransformerBlock& block = model.blocks[static_cast<std::size_t>(last)];
      if (setting.facet == Facet::key) {
        const auto normed = detail::layer_norm(model, tokens, block.norm1_weight, block.norm1_bias);
        const auto dim = model.embed_dim;
        tokens = at::linear(normed, block.qkv_weight.slice(0, dim, 2 * dim),
                            block.qkv_bias.slice(0, dim, 2 * dim));
      } else {
        tokens = apply_block(model, block, tokens);
        if (setting.final_norm) {
          tokens = detail::layer_norm(model, tokens, model.norm_weight, model.norm_bias);
        }
      }
      return split_tokens(model, tokens, rows, cols);
    });
  }

  /// Features of a batch as one float32 FeatureMap a picture, without gradients.
  ///
  /// @throws what features() throws
  /// @note synchronises the device of CUDA weights
  std::vector<FeatureMap> operator()(const InputBatch& batch) const {
    const at::NoGradGuard no_gradients;
    const auto input =
        torch::from_blob(const_cast<float*>(batch.values.data()),
                         {batch.batch, 3, batch.size.height, batch.size.width}, torch::kFloat32);
    const Features result = features(input);
    const torch::Tensor patches = result.patch_tokens.to(at::kCPU, at::kFloat).contiguous();
    std::vector<FeatureMap> maps;
    for (int i = 0; i < batch.batch; ++i) {
      FeatureMap map(result.rows, result.cols, static_cast<int>(patches.size(2)));
      std::memcpy(map.values.data(), patches[i].const_data_ptr<float>(), map.bytes());
      maps.push_back(std::move(map));
    }
    return maps;
  }
};

}  // namespace homolog
