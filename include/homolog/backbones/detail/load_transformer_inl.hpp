// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of backbones/load_transformer.hpp.

#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/backbones/families/dinov3_kept.hpp"
#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/stock.hpp"
#include "homolog/backbones/load_transformer.hpp"
#include "homolog/backbones/torch_boundary.hpp"
#include "homolog/backbones/transformer.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/tensor_file.hpp"
#include "homolog/weights/torch_tensors.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Tensors of a file in one dtype; pages of the file that were converted are given back.
struct TensorReader {
  const TensorFile& file;
  torch::Dtype dtype;

  torch::Tensor get(const std::string& key) const {
    torch::Tensor stored = to_torch(file, key);
    if (stored.scalar_type() == dtype) return stored;
    torch::Tensor converted = stored.to(dtype);
    release_pages(file.tensors.at(key));
    return converted;
  }
  /// An undefined tensor where the file has none of that name.
  torch::Tensor get_if_present(const std::string& key) const {
    return file.tensors.contains(key) ? get(key) : torch::Tensor();
  }
  void linear(torch::Tensor& weight, torch::Tensor& bias, const std::string& name) const {
    weight = get(name + ".weight");
    bias = get_if_present(name + ".bias");
  }
};

inline void read_mlp(const TensorReader& read, const std::string& prefix, const Recognized& sizes,
                     const MlpKeys& names, TransformerBlock& block) {
  const auto linear = [&](torch::Tensor& weight, torch::Tensor& bias, std::string_view name) {
    read.linear(weight, bias, prefix + std::string(name));
  };
  if (sizes.swiglu && names.gate.empty()) {  // gate and value in one matrix, gate first
    torch::Tensor weight, bias;
    linear(weight, bias, names.in);
    block.mlp_gate_weight = weight.slice(0, 0, sizes.ffn_hidden);
    block.mlp_gate_bias = bias.slice(0, 0, sizes.ffn_hidden);
    block.mlp_in_weight = weight.slice(0, sizes.ffn_hidden);
    block.mlp_in_bias = bias.slice(0, sizes.ffn_hidden);
  } else {
    if (sizes.swiglu) linear(block.mlp_gate_weight, block.mlp_gate_bias, names.gate);
    linear(block.mlp_in_weight, block.mlp_in_bias, names.in);
  }
  linear(block.mlp_out_weight, block.mlp_out_bias, names.out);
}

inline TransformerBlock read_block(const TensorReader& read, int index, const Recognized& sizes,
                                   const TransformerTraits& traits) {
  const std::string prefix = text("blocks.", index, ".");
  TransformerBlock block;
  read.linear(block.norm1_weight, block.norm1_bias, prefix + "norm1");
  read.linear(block.qkv_weight, block.qkv_bias, prefix + "attn.qkv");
  if (traits.key_bias_mask && block.qkv_bias.defined()) {
    const auto bias = effective_qkv_bias(read.file, prefix, sizes.embed_dim);
    block.qkv_bias = torch::tensor(bias, torch::kFloat32).to(read.dtype);
  }
  block.rel_pos_h = read.get_if_present(prefix + "attn.rel_pos_h");
  block.rel_pos_w = read.get_if_present(prefix + "attn.rel_pos_w");
  const auto& global = sizes.global_blocks;
  if (traits.relative_positions && std::find(global.begin(), global.end(), index) == global.end()) {
    block.window = sizes.window;
  }
  read.linear(block.proj_weight, block.proj_bias, prefix + "attn.proj");
  block.scale1 = read.get_if_present(prefix + "ls1.gamma");
  block.scale2 = read.get_if_present(prefix + "ls2.gamma");
  read.linear(block.norm2_weight, block.norm2_bias, prefix + "norm2");
  read_mlp(read, prefix, sizes, traits.mlp, block);
  return block;
}

inline Transformer build_transformer(const TensorFile& file, const Recognized& sizes,
                                     const TransformerTraits& traits, torch::Dtype dtype) {
  const TensorReader read{file, dtype};
  Transformer model;
  model.embed_dim = sizes.embed_dim;
  model.heads = sizes.heads;
  model.patch_size = sizes.patch_size;
  model.patch_weight = read.get("patch_embed.proj.weight");
  model.patch_bias = read.get("patch_embed.proj.bias");
  model.class_token = read.get_if_present("cls_token");
  model.register_tokens = read.get_if_present(std::string(traits.register_key));
  model.positions = read.get_if_present("pos_embed");
  if (traits.square_positions) model.positions = model.positions.flatten(1, 2);
  model.norm_weight = read.get_if_present("norm.weight");
  model.norm_bias = read.get_if_present("norm.bias");
  model.norm_epsilon = traits.norm_epsilon;
  model.crops_input = traits.crops_input;
  if (traits.rotary) {
    const std::string periods(rope_periods_key);
    // A copy: as a view it would keep the whole file in memory, whatever the weights' dtype.
    model.rope_periods = file.tensors.contains(periods)
                             ? to_torch(file, periods).to(torch::kFloat32).clone()
                             : torch::tensor(rope_periods(sizes.embed_dim / sizes.heads));
  }
  if (traits.neck) {
    model.neck = {read.get("neck.0.weight"), read.get("neck.1.weight"), read.get("neck.1.bias"),
                  read.get("neck.2.weight"), read.get("neck.3.weight"), read.get("neck.3.bias")};
  }
  for (int i = 0; i < sizes.depth; ++i) model.blocks.push_back(read_block(read, i, sizes, traits));
  return model;
}

}  // namespace detail

HOMOLOG_INLINE Transformer make_transformer(const TensorFile& file, const Recognized& sizes,
                                            const TransformerTraits& traits, torch::Dtype dtype) {
  if (traits.rotary && sizes.embed_dim % (4 * sizes.heads) != 0) {
    throw WeightsError(detail::text(file.name, ": ", sizes.heads, " heads of ",
                                    sizes.embed_dim / sizes.heads,
                                    " dimensions, expected a multiple of 4"));
  }
  return at_torch_boundary("building " + file.name,
                           [&] { return detail::build_transformer(file, sizes, traits, dtype); });
}

HOMOLOG_INLINE TensorFile random_weights(const std::vector<ExpectedTensor>& expected,
                                         std::uint64_t seed) {
  TensorFile file;
  file.name = detail::text("random weights (seed ", seed, ")");
  at_torch_boundary(file.name, [&] {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    for (const auto& tensor : expected) {
      if (tensor.optional) continue;
      const bool around_one = tensor.key.ends_with("gamma") ||
                              (tensor.shape.size() == 1 && tensor.key.ends_with("weight"));
      add_tensor(file, tensor.key,
                 at::normal(around_one ? 1.0 : 0.0, 0.02, tensor.shape, generator));
    }
  });
  return file;
}

}  // namespace homolog::inline v0_1
