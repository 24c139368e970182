// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Key names of backbones as tables, and the taking apart of keys: prefixes that exporters put in
/// front, the index of a block, the chunk index of training checkpoints.

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1::detail {

/// One line of a key table. `#` is the index of a block. `@` in `other` stands for the table's
/// words for query, key and value, whose rows are stacked in this order in the original tensor.
struct KeyPair {
  std::string_view original;
  std::string_view other;
};

/// A key table: how another project names the original's tensors.
struct KeyTable {
  std::string_view other_stem;  ///< what precedes the block index there; `blocks.` originally
  std::span<const KeyPair> pairs;
  std::array<std::string_view, 3> parts{"query", "key", "value"};
  bool key_bias = true;  ///< false: keys have no bias there, and zeros in the original tensor
  std::string_view prefix = {};  ///< what stands before every key there
};

inline constexpr std::string_view original_stem = "blocks.";

/// huggingface/transformers: models/dinov2 and models/dinov2_with_registers.
inline constexpr KeyPair dinov2_huggingface_pairs[] = {
    {"cls_token", "embeddings.cls_token"},
    {"pos_embed", "embeddings.position_embeddings"},
    {"register_tokens", "embeddings.register_tokens"},
    {"mask_token", "embeddings.mask_token"},
    {"patch_embed.proj.weight", "embeddings.patch_embeddings.projection.weight"},
    {"patch_embed.proj.bias", "embeddings.patch_embeddings.projection.bias"},
    {"blocks.#.norm1.weight", "encoder.layer.#.norm1.weight"},
    {"blocks.#.norm1.bias", "encoder.layer.#.norm1.bias"},
    {"blocks.#.attn.qkv.weight", "encoder.layer.#.attention.attention.@.weight"},
    {"blocks.#.attn.qkv.bias", "encoder.layer.#.attention.attention.@.bias"},
    {"blocks.#.attn.proj.weight", "encoder.layer.#.attention.output.dense.weight"},
    {"blocks.#.attn.proj.bias", "encoder.layer.#.attention.output.dense.bias"},
    {"blocks.#.ls1.gamma", "encoder.layer.#.layer_scale1.lambda1"},
    {"blocks.#.ls2.gamma", "encoder.layer.#.layer_scale2.lambda1"},
    {"blocks.#.norm2.weight", "encoder.layer.#.norm2.weight"},
    {"blocks.#.norm2.bias", "encoder.layer.#.norm2.bias"},
    {"blocks.#.mlp.fc1.weight", "encoder.layer.#.mlp.fc1.weight"},
    {"blocks.#.mlp.fc1.bias", "encoder.layer.#.mlp.fc1.bias"},
    {"blocks.#.mlp.fc2.weight", "encoder.layer.#.mlp.fc2.weight"},
    {"blocks.#.mlp.fc2.bias", "encoder.layer.#.mlp.fc2.bias"},
    {"blocks.#.mlp.w12.weight", "encoder.layer.#.mlp.weights_in.weight"},
    {"blocks.#.mlp.w12.bias", "encoder.layer.#.mlp.weights_in.bias"},
    {"blocks.#.mlp.w3.weight", "encoder.layer.#.mlp.weights_out.weight"},
    {"blocks.#.mlp.w3.bias", "encoder.layer.#.mlp.weights_out.bias"},
    {"norm.weight", "layernorm.weight"},
    {"norm.bias", "layernorm.bias"}};
inline constexpr KeyTable dinov2_huggingface{"encoder.layer.", dinov2_huggingface_pairs};

/// huggingface/pytorch-image-models: vision_transformer.py; names not listed are the original's.
inline constexpr KeyPair timm_pairs[] = {{"register_tokens", "reg_token"}};
inline constexpr KeyTable timm_plain{"blocks.", timm_pairs};

/// The same for a packed SwiGLU, which timm gives the names of a plain MLP.
inline constexpr KeyPair timm_swiglu_pairs[] = {
    {"register_tokens", "reg_token"},
    {"blocks.#.mlp.w12.weight", "blocks.#.mlp.fc1.weight"},
    {"blocks.#.mlp.w12.bias", "blocks.#.mlp.fc1.bias"},
    {"blocks.#.mlp.w3.weight", "blocks.#.mlp.fc2.weight"},
    {"blocks.#.mlp.w3.bias", "blocks.#.mlp.fc2.bias"}};
inline constexpr KeyTable timm_swiglu{"blocks.", timm_swiglu_pairs};

/// huggingface/transformers: models/dinov3_vit. What has no name there, see detail/dinov3_keys.hpp.
inline constexpr KeyPair dinov3_huggingface_pairs[] = {
    {"cls_token", "embeddings.cls_token"},
    {"storage_tokens", "embeddings.register_tokens"},
    {"mask_token", "embeddings.mask_token"},
    {"patch_embed.proj.weight", "embeddings.patch_embeddings.weight"},
    {"patch_embed.proj.bias", "embeddings.patch_embeddings.bias"},
    {"blocks.#.norm1.weight", "layer.#.norm1.weight"},
    {"blocks.#.norm1.bias", "layer.#.norm1.bias"},
    {"blocks.#.attn.qkv.weight", "layer.#.attention.@.weight"},
    {"blocks.#.attn.qkv.bias", "layer.#.attention.@.bias"},
    {"blocks.#.attn.proj.weight", "layer.#.attention.o_proj.weight"},
    {"blocks.#.attn.proj.bias", "layer.#.attention.o_proj.bias"},
    {"blocks.#.ls1.gamma", "layer.#.layer_scale1.lambda1"},
    {"blocks.#.ls2.gamma", "layer.#.layer_scale2.lambda1"},
    {"blocks.#.norm2.weight", "layer.#.norm2.weight"},
    {"blocks.#.norm2.bias", "layer.#.norm2.bias"},
    {"blocks.#.mlp.fc1.weight", "layer.#.mlp.up_proj.weight"},
    {"blocks.#.mlp.fc1.bias", "layer.#.mlp.up_proj.bias"},
    {"blocks.#.mlp.fc2.weight", "layer.#.mlp.down_proj.weight"},
    {"blocks.#.mlp.fc2.bias", "layer.#.mlp.down_proj.bias"}};
inline constexpr KeyTable dinov3_huggingface{
    "layer.", dinov3_huggingface_pairs, {"q_proj", "k_proj", "v_proj"}, /*key_bias=*/false};

/// The same with a SwiGLU, whose third matrix there has the name of a plain MLP's second.
inline constexpr auto dinov3_huggingface_swiglu_pairs = [] {
  std::array<KeyPair, std::size(dinov3_huggingface_pairs) + 2> pairs{};
  std::size_t count = 0;
  for (const KeyPair& pair : dinov3_huggingface_pairs) {
    if (pair.original.find(".mlp.") == std::string_view::npos) pairs[count++] = pair;
  }
  for (const KeyPair& pair : {KeyPair{"blocks.#.mlp.w1.weight", "layer.#.mlp.gate_proj.weight"},
                              {"blocks.#.mlp.w1.bias", "layer.#.mlp.gate_proj.bias"},
                              {"blocks.#.mlp.w2.weight", "layer.#.mlp.up_proj.weight"},
                              {"blocks.#.mlp.w2.bias", "layer.#.mlp.up_proj.bias"},
                              {"blocks.#.mlp.w3.weight", "layer.#.mlp.down_proj.weight"},
                              {"blocks.#.mlp.w3.bias", "layer.#.mlp.down_proj.bias"}}) {
    pairs[count++] = pair;
  }
  return pairs;
}();
inline constexpr KeyTable dinov3_huggingface_swiglu{
    "layer.", dinov3_huggingface_swiglu_pairs, {"q_proj", "k_proj", "v_proj"}, /*key_bias=*/false};

/// huggingface/pytorch-image-models: eva.py; names not listed are the original's.
inline constexpr KeyPair dinov3_timm_pairs[] = {
    {"storage_tokens", "reg_token"},
    {"blocks.#.attn.qkv.bias", "blocks.#.attn.@_bias"},
    {"blocks.#.ls1.gamma", "blocks.#.gamma_1"},
    {"blocks.#.ls2.gamma", "blocks.#.gamma_2"},
    {"blocks.#.mlp.w1.weight", "blocks.#.mlp.fc1_g.weight"},
    {"blocks.#.mlp.w1.bias", "blocks.#.mlp.fc1_g.bias"},
    {"blocks.#.mlp.w2.weight", "blocks.#.mlp.fc1_x.weight"},
    {"blocks.#.mlp.w2.bias", "blocks.#.mlp.fc1_x.bias"}};
inline constexpr KeyTable dinov3_timm{
    "blocks.", dinov3_timm_pairs, {"q", "k", "v"}, /*key_bias=*/false};

/// The same with a SwiGLU, whose third matrix there has the name of a plain MLP's second.
inline constexpr auto dinov3_timm_swiglu_pairs = [] {
  std::array<KeyPair, std::size(dinov3_timm_pairs) + 2> pairs{};
  std::copy(std::begin(dinov3_timm_pairs), std::end(dinov3_timm_pairs), pairs.begin());
  pairs[pairs.size() - 2] = {"blocks.#.mlp.w3.weight", "blocks.#.mlp.fc2.weight"};
  pairs[pairs.size() - 1] = {"blocks.#.mlp.w3.bias", "blocks.#.mlp.fc2.bias"};
  return pairs;
}();
inline constexpr KeyTable dinov3_timm_swiglu{
    "blocks.", dinov3_timm_swiglu_pairs, {"q", "k", "v"}, /*key_bias=*/false};

/// huggingface/transformers: models/sam, the vision encoder; names not listed are the original's.
inline constexpr KeyPair sam_huggingface_pairs[] = {
    {"patch_embed.proj.weight", "patch_embed.projection.weight"},
    {"patch_embed.proj.bias", "patch_embed.projection.bias"},
    {"pos_embed", "pos_embed"},
    {"blocks.#.norm1.weight", "layers.#.layer_norm1.weight"},
    {"blocks.#.norm1.bias", "layers.#.layer_norm1.bias"},
    {"blocks.#.attn.qkv.weight", "layers.#.attn.qkv.weight"},
    {"blocks.#.attn.qkv.bias", "layers.#.attn.qkv.bias"},
    {"blocks.#.attn.proj.weight", "layers.#.attn.proj.weight"},
    {"blocks.#.attn.proj.bias", "layers.#.attn.proj.bias"},
    {"blocks.#.attn.rel_pos_h", "layers.#.attn.rel_pos_h"},
    {"blocks.#.attn.rel_pos_w", "layers.#.attn.rel_pos_w"},
    {"blocks.#.norm2.weight", "layers.#.layer_norm2.weight"},
    {"blocks.#.norm2.bias", "layers.#.layer_norm2.bias"},
    {"blocks.#.mlp.lin1.weight", "layers.#.mlp.lin1.weight"},
    {"blocks.#.mlp.lin1.bias", "layers.#.mlp.lin1.bias"},
    {"blocks.#.mlp.lin2.weight", "layers.#.mlp.lin2.weight"},
    {"blocks.#.mlp.lin2.bias", "layers.#.mlp.lin2.bias"},
    {"neck.0.weight", "neck.conv1.weight"},
    {"neck.1.weight", "neck.layer_norm1.weight"},
    {"neck.1.bias", "neck.layer_norm1.bias"},
    {"neck.2.weight", "neck.conv2.weight"},
    {"neck.3.weight", "neck.layer_norm2.weight"},
    {"neck.3.bias", "neck.layer_norm2.bias"}};
inline constexpr KeyTable sam_huggingface{
    "layers.", sam_huggingface_pairs, {}, true, "vision_encoder."};

/// huggingface/pytorch-image-models: vision_transformer_sam.py; names not listed are the
/// original's.
inline constexpr KeyPair sam_timm_pairs[] = {
    {"blocks.#.mlp.lin1.weight", "blocks.#.mlp.fc1.weight"},
    {"blocks.#.mlp.lin1.bias", "blocks.#.mlp.fc1.bias"},
    {"blocks.#.mlp.lin2.weight", "blocks.#.mlp.fc2.weight"},
    {"blocks.#.mlp.lin2.bias", "blocks.#.mlp.fc2.bias"}};
inline constexpr KeyTable sam_timm{"blocks.", sam_timm_pairs};

/// Prefixes that exporters and training codes put before a backbone's keys, in any combination.
inline constexpr std::array<std::string_view, 10> key_prefixes{
    "dinov2.",  "dinov2_with_registers.", "dinov3_vit.",     "backbone.", "model.", "module.",
    "teacher.", "image_encoder.",         "vision_encoder.", "encoder."};

/// Whether a string is made of known prefixes only.
inline bool is_known_prefix(std::string_view prefix) {
  while (!prefix.empty()) {
    const auto known = std::find_if(key_prefixes.begin(), key_prefixes.end(),
                                    [&](std::string_view p) { return prefix.starts_with(p); });
    if (known == key_prefixes.end()) return false;
    prefix.remove_prefix(known->size());
  }
  return true;
}

/// Number of leading digits.
inline std::size_t digits(std::string_view text) {
  return (std::min)(text.find_first_not_of("0123456789"), text.size());
}

/// A key with its block index taken out: `blocks.7.norm1.bias` -> `blocks.#.norm1.bias`, `7`.
struct KeyPattern {
  std::string pattern;
  std::string index;  ///< empty when the key belongs to no block
};

inline KeyPattern key_pattern(std::string_view key, std::string_view stem) {
  if (key.starts_with(stem)) {
    const auto rest = key.substr(stem.size());
    const auto count = digits(rest);
    if (count > 0 && count < rest.size() && rest[count] == '.') {
      return {std::string(stem) + "#" + std::string(rest.substr(count)),
              std::string(rest.substr(0, count))};
    }
  }
  return {std::string(key), ""};
}

/// The reverse of key_pattern(), also for `@`.
inline std::string key_from_pattern(std::string_view pattern, std::string_view index,
                                    std::string_view part = {}) {
  std::string key;
  for (const char c : pattern) {
    if (c == '#') {
      key += index;
    } else if (c == '@') {
      key += part;
    } else {
      key += c;
    }
  }
  return key;
}

/// Drops the chunk of `blocks.<chunk>.<i>.`, as training checkpoints have it.
inline std::string without_chunk(const std::string& key) {
  if (!key.starts_with(original_stem)) return key;
  const auto rest = std::string_view(key).substr(original_stem.size());
  const auto first = digits(rest);
  if (first == 0 || first + 1 >= rest.size() || rest[first] != '.') return key;
  const auto inner = rest.substr(first + 1);
  const auto second = digits(inner);
  if (second == 0 || second >= inner.size() || inner[second] != '.') return key;
  return std::string(original_stem) + std::string(inner);
}

/// The known prefix before a patch embedding's key; nothing when no key is one.
inline std::optional<std::string> find_key_prefix(const TensorFile& file) {
  for (const auto& [key, view] : file.tensors) {
    for (const std::string_view anchor :
         {"patch_embed.proj.weight", "embeddings.patch_embeddings.projection.weight",
          "embeddings.patch_embeddings.weight", "patch_embed.projection.weight"}) {
      if (!key.ends_with(anchor)) continue;
      const auto prefix = key.substr(0, key.size() - anchor.size());
      if (is_known_prefix(prefix)) return prefix;
    }
  }
  return std::nullopt;
}

/// Drops the name of the module that holds the blocks of a DINOv3 in memory in transformers 5,
/// which its published files do not have: `model.layer.0.` -> `layer.0.`.
inline std::string_view without_block_holder(std::string_view key) {
  constexpr std::string_view holder = "model.";
  return key.starts_with("model.layer.") ? key.substr(holder.size()) : key;
}

/// A key without the prefix of the backbone's keys, or, beside the backbone, without the wrappers
/// that both have in front: `module.mask_decoder.x` beside `module.image_encoder.` ->
/// `mask_decoder.x`.
inline std::string_view without_prefix(std::string_view key, std::string_view prefix) {
  if (key.starts_with(prefix)) return key.substr(prefix.size());
  while (true) {
    const auto known = std::find_if(
        key_prefixes.begin(), key_prefixes.end(),
        [&](std::string_view p) { return key.starts_with(p) && prefix.starts_with(p); });
    if (known == key_prefixes.end()) return key;
    key.remove_prefix(known->size());
    prefix.remove_prefix(known->size());
  }
}

/// The file without the prefix and without chunk indices; keys that do not have the prefix stay,
/// but for wrappers.
///
/// @throws WeightsError when two keys become one
inline TensorFile plain_keys(const TensorFile& file, const std::string& prefix) {
  TensorFile result{{}, file.metadata, file.owners, file.name};
  for (const auto& [key, view] : file.tensors) {
    const std::string plain =
        without_chunk(std::string(without_block_holder(without_prefix(key, prefix))));
    if (!result.tensors.emplace(plain, view).second) {
      throw WeightsError(text(file.name, ": two tensors are named '", plain, "' without prefix '",
                              prefix, "' and chunk index"));
    }
  }
  return result;
}

}  // namespace homolog::inline v0_1::detail
