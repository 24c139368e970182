// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A Transformer's tensors out of a weights file with original (or timm) key names.

#include <torch/types.h>

#include <cstdint>
#include <string>

#include "homolog/backbones/transformer.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/key_maps.hpp"
#include "homolog/weights/read_weights.hpp"
#include "homolog/weights/recognize.hpp"
#include "homolog/weights/torch_tensors.hpp"

namespace homolog {

/// What a weights file was recognised as, for messages: `dinov2_vits14 (original keys)`.
inline std::string describe(const Recognized& recognized) {
  return detail::text(
      recognized.variant.empty() ? recognized.family + " of no published size" : recognized.variant,
      " (", key_style_name(recognized.style), " keys, ", recognized.depth, " blocks of ",
      recognized.embed_dim, ")");
}

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
  return *recognized;
}

/// Builds a Transformer from audited tensors in original key names.
///
/// @param file tensors after to_original_keys() and audit(), any floating dtype
/// @return weights in float32 on the CPU; views of the file's memory where it is float32 already
/// @throws WeightsError when a tensor is missing
inline Transformer make_transformer(const TensorFile& file, const Recognized& sizes) {
  const auto get = [&file](const std::string& key) {
    return to_torch(file, key).to(torch::kFloat32);
  };
  const auto get_if_present = [&](const std::string& key) {
    return file.tensors.contains(key) ? get(key) : torch::Tensor();
  };
  Transformer model;
  model.embed_dim = sizes.embed_dim;
  model.heads = sizes.heads;
  model.patch_size = sizes.patch_size;
  model.swiglu = sizes.swiglu;
  model.patch_weight = get("patch_embed.proj.weight");
  model.patch_bias = get("patch_embed.proj.bias");
  model.class_token = get("cls_token");
  model.register_tokens = get_if_present("register_tokens");
  model.positions = get("pos_embed");
  model.norm_weight = get("norm.weight");
  model.norm_bias = get("norm.bias");
  const std::string mlp_in = sizes.swiglu ? "mlp.w12" : "mlp.fc1";
  const std::string mlp_out = sizes.swiglu ? "mlp.w3" : "mlp.fc2";
  for (int i = 0; i < sizes.depth; ++i) {
    const std::string prefix = detail::text("blocks.", i, ".");
    TransformerBlock block;
    block.norm1_weight = get(prefix + "norm1.weight");
    block.norm1_bias = get(prefix + "norm1.bias");
    block.qkv_weight = get(prefix + "attn.qkv.weight");
    block.qkv_bias = get(prefix + "attn.qkv.bias");
    block.proj_weight = get(prefix + "attn.proj.weight");
    block.proj_bias = get(prefix + "attn.proj.bias");
    block.scale1 = get_if_present(prefix + "ls1.gamma");
    block.scale2 = get_if_present(prefix + "ls2.gamma");
    block.norm2_weight = get(prefix + "norm2.weight");
    block.norm2_bias = get(prefix + "norm2.bias");
    block.mlp_in_weight = get(prefix + mlp_in + ".weight");
    block.mlp_in_bias = get(prefix + mlp_in + ".bias");
    block.mlp_out_weight = get(prefix + mlp_out + ".weight");
    block.mlp_out_bias = get(prefix + mlp_out + ".bias");
    model.blocks.push_back(std::move(block));
  }
  return model;
}

/// Random tensors for a list of expected ones: normal with deviation 0.02, norms and LayerScale
/// around 1. For benchmarks and tests: the same seed gives the same weights.
inline TensorFile random_weights(const std::vector<ExpectedTensor>& expected, std::uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  TensorFile file;
  file.name = detail::text("random weights (seed ", seed, ")");
  for (const auto& tensor : expected) {
    if (tensor.optional) continue;
    const bool around_one = tensor.key.ends_with("gamma") ||
                            (tensor.shape.size() == 1 && tensor.key.ends_with("weight"));
    add_tensor(file, tensor.key, at::normal(around_one ? 1.0 : 0.0, 0.02, tensor.shape, generator));
  }
  return file;
}

}  // namespace homolog
