// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A Transformer's tensors out of a weights file.

#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/backbones/detail/torch_boundary.hpp"
#include "homolog/backbones/transformer.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/key_maps.hpp"
#include "homolog/weights/read_weights.hpp"
#include "homolog/weights/recognize.hpp"
#include "homolog/weights/torch_tensors.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// A file of a published model that lacks blocks would load as a smaller one and give features
/// without a word; a model that is meant to have fewer says so in the metadata `homolog.blocks`.
inline void require_all_blocks(const TensorFile& file, const Recognized& recognized) {
  const auto stated = file.metadata.find("homolog.blocks");
  if (stated != file.metadata.end() && stated->second == std::to_string(recognized.depth)) return;
  for (const auto& sizes : published_sizes(recognized.family)) {
    const Recognized published = from_published(recognized.family, sizes, recognized.style);
    if (!same_sizes_but_fewer_blocks(published, recognized)) continue;
    const TensorFile original = to_original_keys(file, recognized);
    AuditFindings missing{"missing"};
    for (int i = 0; i < published.depth; ++i) {
      const std::string block = text("blocks.", i);
      const auto first = original.tensors.lower_bound(block + ".");
      if (first == original.tensors.end() || !first->first.starts_with(block + ".")) {
        missing.add(block);
      }
    }
    throw WeightsError(text(file.name, ": recognised as ", describe(recognized), ", expected the ",
                            published.depth, " blocks of ", published.variant, missing.summary()));
  }
}

}  // namespace detail

/// Recognises a file and insists on a family and, when `variant` is not empty, on a variant.
///
/// @throws WeightsError that names what was recognised and what was expected
inline Recognized recognize_as(const TensorFile& file, const std::string& family,
                               const std::string& variant) {
  const auto recognized = recognize(file);
  const std::string expected = variant.empty() ? family : variant;
  if (!recognized) {
    throw WeightsError(detail::text(file.name, ": no known backbone's keys, expected ", expected));
  }
  if (recognized->family != family || (!variant.empty() && recognized->variant != variant)) {
    throw WeightsError(detail::text(file.name, ": recognised as ", describe(*recognized),
                                    ", expected ", expected));
  }
  if (recognized->variant.empty()) detail::require_all_blocks(file, *recognized);
  return *recognized;
}

/// A recognised file's tensors under original key names, audited and without NaN.
///
/// @param ignored keys beginning with one of these belong to no backbone
/// @throws WeightsError that names what the file was recognised as and what does not fit
inline TensorFile audited(const TensorFile& file, const Recognized& recognized,
                          std::span<const ExpectedTensor> expected,
                          std::span<const std::string_view> ignored = ignored_key_prefixes) {
  TensorFile original = to_original_keys(file, recognized);
  original.name = detail::text(file.name, " (", describe(recognized), ")");
  audit(original, expected, ignored);
  require_finite(original);
  return original;
}

namespace detail {

inline Transformer build_transformer(const TensorFile& file, const Recognized& sizes,
                                     torch::Dtype dtype) {
  const auto has = [&file](const std::string& key) { return file.tensors.contains(key); };
  const auto get = [&](const std::string& key) {
    torch::Tensor stored = to_torch(file, key);
    if (stored.scalar_type() == dtype) return stored;
    torch::Tensor converted = stored.to(dtype);
    release_pages(file.tensors.at(key));
    return converted;
  };
  const auto get_if_present = [&](const std::string& key) {
    return has(key) ? get(key) : torch::Tensor();
  };
  const bool dinov3 = sizes.family == "dinov3", sam = sizes.family == "sam";
  Transformer model;
  model.embed_dim = sizes.embed_dim;
  model.heads = sizes.heads;
  model.patch_size = sizes.patch_size;
  model.patch_weight = get("patch_embed.proj.weight");
  model.patch_bias = get("patch_embed.proj.bias");
  model.class_token = get_if_present("cls_token");
  model.register_tokens = get_if_present(dinov3 ? "storage_tokens" : "register_tokens");
  model.positions = get_if_present("pos_embed");
  if (sam) model.positions = model.positions.flatten(1, 2);
  model.norm_weight = get_if_present("norm.weight");
  model.norm_bias = get_if_present("norm.bias");
  if (dinov3) {
    model.norm_epsilon = 1e-5;
    model.crops_input = true;
    const std::string periods(rope_periods_key);
    // A copy: as a view it would keep the whole file in memory, whatever the weights' dtype.
    model.rope_periods = has(periods) ? to_torch(file, periods).to(torch::kFloat32).clone()
                                      : torch::tensor(rope_periods(sizes.embed_dim / sizes.heads));
  }
  if (sam) {
    model.neck = {get("neck.0.weight"), get("neck.1.weight"), get("neck.1.bias"),
                  get("neck.2.weight"), get("neck.3.weight"), get("neck.3.bias")};
  }
  for (int i = 0; i < sizes.depth; ++i) {
    const std::string prefix = text("blocks.", i, ".");
    TransformerBlock block;
    const auto linear = [&](torch::Tensor& weight, torch::Tensor& bias, const char* name) {
      weight = get(prefix + name + ".weight");
      bias = get_if_present(prefix + name + ".bias");
    };
    linear(block.norm1_weight, block.norm1_bias, "norm1");
    linear(block.qkv_weight, block.qkv_bias, "attn.qkv");
    if (dinov3 && block.qkv_bias.defined()) {
      const auto bias = effective_qkv_bias(file, prefix, sizes.embed_dim);
      block.qkv_bias = torch::tensor(bias, torch::kFloat32).to(dtype);
    }
    block.rel_pos_h = get_if_present(prefix + "attn.rel_pos_h");
    block.rel_pos_w = get_if_present(prefix + "attn.rel_pos_w");
    if (sam && std::find(sizes.global_blocks.begin(), sizes.global_blocks.end(), i) ==
                   sizes.global_blocks.end()) {
      block.window = sizes.window;
    }
    linear(block.proj_weight, block.proj_bias, "attn.proj");
    block.scale1 = get_if_present(prefix + "ls1.gamma");
    block.scale2 = get_if_present(prefix + "ls2.gamma");
    linear(block.norm2_weight, block.norm2_bias, "norm2");
    if (has(prefix + "mlp.w12.weight")) {  // gate and value in one matrix, gate first
      torch::Tensor weight, bias;
      linear(weight, bias, "mlp.w12");
      block.mlp_gate_weight = weight.slice(0, 0, sizes.ffn_hidden);
      block.mlp_gate_bias = bias.slice(0, 0, sizes.ffn_hidden);
      block.mlp_in_weight = weight.slice(0, sizes.ffn_hidden);
      block.mlp_in_bias = bias.slice(0, sizes.ffn_hidden);
    } else if (has(prefix + "mlp.w1.weight")) {
      linear(block.mlp_gate_weight, block.mlp_gate_bias, "mlp.w1");
      linear(block.mlp_in_weight, block.mlp_in_bias, "mlp.w2");
    } else {
      linear(block.mlp_in_weight, block.mlp_in_bias, sam ? "mlp.lin1" : "mlp.fc1");
    }
    linear(block.mlp_out_weight, block.mlp_out_bias,
           sam            ? "mlp.lin2"
           : sizes.swiglu ? "mlp.w3"
                          : "mlp.fc2");
    model.blocks.push_back(std::move(block));
  }
  return model;
}

}  // namespace detail

/// Builds a Transformer from audited tensors in original key names.
///
/// @param file tensors as audited() gives them, any floating dtype
/// @return weights on the CPU; views of the file's memory where it has this dtype already
/// @throws WeightsError when the heads leave no room for rotary positions, DeviceError when memory
///   ends
inline Transformer make_transformer(const TensorFile& file, const Recognized& sizes,
                                    torch::Dtype dtype) {
  if (sizes.family == "dinov3" && sizes.embed_dim % (4 * sizes.heads) != 0) {
    throw WeightsError(detail::text(file.name, ": ", sizes.heads, " heads of ",
                                    sizes.embed_dim / sizes.heads,
                                    " dimensions, expected a multiple of 4"));
  }
  return detail::at_torch_boundary("building " + file.name,
                                   [&] { return detail::build_transformer(file, sizes, dtype); });
}

/// Random tensors for a list of expected ones: normal with deviation 0.02, norms and LayerScale
/// around 1. For benchmarks and tests: the same seed gives the same weights.
///
/// @throws DeviceError when memory ends
inline TensorFile random_weights(const std::vector<ExpectedTensor>& expected, std::uint64_t seed) {
  TensorFile file;
  file.name = detail::text("random weights (seed ", seed, ")");
  detail::at_torch_boundary(file.name, [&] {
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
