// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of backbones/families/expected_tensors.hpp.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/backbones/families/expected_tensors.hpp"
#include "homolog/backbones/families/family.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/weights/audit.hpp"

namespace homolog::inline v0_1 {

namespace detail {

HOMOLOG_INLINE void expect_blocks(std::vector<ExpectedTensor>& list, const Recognized& sizes,
                                  const TransformerTraits& traits) {
  const std::int64_t dim = sizes.embed_dim, hidden = sizes.ffn_hidden;
  for (int i = 0; i < sizes.depth; ++i) {
    const std::string block = "blocks." + std::to_string(i) + ".";
    const auto linear = [&](std::string_view name, std::int64_t out, std::int64_t in,
                            bool bias = true) {
      const std::string key = block + std::string(name);
      list.push_back({key + ".weight", {out, in}});
      if (bias) list.push_back({key + ".bias", {out}});
    };
    const auto vector = [&](const char* name) { list.push_back({block + name, {dim}}); };
    vector("norm1.weight");
    vector("norm1.bias");
    linear("attn.qkv", 3 * dim, dim, sizes.qkv_bias);
    if (traits.key_bias_mask && sizes.qkv_bias) {
      list.push_back({block + "attn.qkv.bias_mask", {3 * dim}, /*optional=*/true});
    }
    if (traits.relative_positions) {
      const bool global = std::find(sizes.global_blocks.begin(), sizes.global_blocks.end(), i) !=
                          sizes.global_blocks.end();
      const std::int64_t rows = 2 * (global ? sizes.position_rows : sizes.window) - 1;
      for (const char* name : {"attn.rel_pos_h", "attn.rel_pos_w"}) {
        list.push_back({block + name, {rows, dim / sizes.heads}});
      }
    }
    linear("attn.proj", dim, dim);
    if (traits.layer_scale) vector("ls1.gamma");
    vector("norm2.weight");
    vector("norm2.bias");
    const bool joined = sizes.swiglu && traits.mlp.gate.empty();
    if (sizes.swiglu && !joined) linear(traits.mlp.gate, hidden, dim);
    linear(traits.mlp.in, joined ? 2 * hidden : hidden, dim);
    linear(traits.mlp.out, dim, hidden);
    if (traits.layer_scale) vector("ls2.gamma");
  }
}

}  // namespace detail

}  // namespace homolog::inline v0_1
