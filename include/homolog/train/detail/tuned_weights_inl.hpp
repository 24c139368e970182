// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of train/tuned_weights.hpp.

#include <torch/types.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/train/tuned_weights.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// First tuned block of the k that end with the chosen layer.
inline int first_tuned_block(const TransformerBackbone& backbone, int k, const char* what) {
  const int available = backbone.layer() + 1;
  if (k < 1 || k > available) {
    throw SettingError(text(what, ": k is ", k, ", expected 1 to ", available,
                            ", the number of blocks up to the chosen layer"));
  }
  if (backbone.setting.facet != Facet::token) {
    throw SettingError(text(what, ": attention keys are not tuned, expected the token facet"));
  }
  return available - k;
}

/// Small steps are lost in half precision, so blocks that are tuned compute from float32 copies.
inline torch::Dtype master_dtype(const torch::Tensor& weight) {
  return weight.scalar_type() == torch::kFloat64 ? torch::kFloat64 : torch::kFloat32;
}

/// Calls `visit(name, tensor)` on the weights from block `first_block` to the features.
template <class Visit>
void for_each_weight_behind(TransformerBackbone& backbone, int first_block, const Visit& visit) {
  auto& blocks = backbone.model.blocks;
  for (auto i = static_cast<std::size_t>(first_block);
       i <= static_cast<std::size_t>(backbone.layer()); ++i) {
    for_each_block_weight(blocks[i], i, visit);
  }
  if (!backbone.setting.final_norm) return;
  for_each_final_weight(backbone.model, [&](const std::string& name, torch::Tensor& weight) {
    if (name.starts_with("norm.") || backbone.applies_neck()) visit(name, weight);
  });
}

/// DINOv3 masks the keys' bias. A key bias of zeros stays zero, so that a tuned model can be stored
/// in every key style: Hugging Face's files have no place for it.
inline void keep_masked_key_bias(const TransformerBackbone& backbone, const std::string& name,
                                 const torch::Tensor& bias) {
  const std::int64_t dim = backbone.model.embed_dim;
  if (!backbone.model.rope_periods.defined() || !name.ends_with("attn.qkv.bias")) return;
  if (bias.detach().slice(0, dim, 2 * dim).count_nonzero().item<std::int64_t>() != 0) return;
  torch::Tensor mask = torch::ones_like(bias.detach());
  mask.slice(0, dim, 2 * dim).zero_();
  bias.register_hook([mask](const torch::Tensor& gradient) { return gradient * mask; });
}

}  // namespace detail

HOMOLOG_INLINE TunedWeights unfreeze_last(TransformerBackbone& backbone, int k,
                                          const std::function<bool(const std::string&)>& chosen) {
  const int first = detail::first_tuned_block(backbone, k, "unfreeze_last");
  bool any = !chosen;
  detail::for_each_weight_behind(
      backbone, first, [&](const std::string& name, torch::Tensor&) { any = any || chosen(name); });
  if (!any) throw SettingError("unfreeze_last: no weight of those blocks was chosen");
  return at_torch_boundary("unfreezing", [&] {
    TunedWeights tuned{first, {}, {}};
    detail::for_each_weight_behind(
        backbone, first, [&](const std::string& name, torch::Tensor& weight) {
          weight = weight.detach().to(detail::master_dtype(weight)).clone().contiguous();
          if (chosen && !chosen(name)) return;
          weight.set_requires_grad(true);
          detail::keep_masked_key_bias(backbone, name, weight);
          tuned.list.push_back({name, weight});
        });
    return tuned;
  });
}

HOMOLOG_INLINE TunedWeights add_lora(TransformerBackbone& backbone, int k,
                                     const LoraSetting& setting) {
  const int first = detail::first_tuned_block(backbone, k, "add_lora");
  if (setting.rank < 1 || setting.rank > backbone.model.embed_dim || !(setting.alpha > 0) ||
      !std::isfinite(setting.alpha)) {
    throw SettingError(detail::text("add_lora: rank ", setting.rank, " and alpha ", setting.alpha,
                                    ", expected a rank of 1 to ", backbone.model.embed_dim,
                                    " and a positive alpha"));
  }
  return at_torch_boundary("adding LoRA", [&] {
    TunedWeights tuned{first, {}, {}};
    at::Generator generator = at::detail::createCPUGenerator(setting.seed);
    detail::for_each_weight_behind(
        backbone, first, [&](const std::string& name, torch::Tensor& weight) {
          weight = weight.detach().to(detail::master_dtype(weight)).contiguous();
          if (!name.ends_with("attn.qkv.weight") && !name.ends_with("attn.proj.weight")) return;
          const auto out = weight.size(0), in = weight.size(1);
          const double bound = std::sqrt(1.0 / static_cast<double>(in));
          const auto start = torch::empty({setting.rank, in}, torch::kFloat64)
                                 .uniform_(-bound, bound, generator)
                                 .to(weight.options());
          LowRankTerm term{name, weight, start.clone().set_requires_grad(true),
                           torch::zeros({out, setting.rank}, weight.options().requires_grad(true)),
                           setting.alpha / setting.rank};
          tuned.list.push_back({name + ".lora_a", term.down});
          tuned.list.push_back({name + ".lora_b", term.up});
          tuned.low_rank.push_back(std::move(term));
        });
    return tuned;
  });
}

HOMOLOG_INLINE void refresh(TransformerBackbone& backbone, const TunedWeights& tuned) {
  for (const auto& term : tuned.low_rank) {
    const auto matches = [&](const std::string& name, torch::Tensor& weight) {
      if (name == term.name) weight = at::addmm(term.base, term.up, term.down, 1, term.scale);
    };
    for (std::size_t i = 0; i < backbone.model.blocks.size(); ++i) {
      for_each_block_weight(backbone.model.blocks[i], i, matches);
    }
  }
}

}  // namespace homolog::inline v0_1
