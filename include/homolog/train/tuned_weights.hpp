// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Which weights of a backbone are tuned: the last k blocks with the final norm, or low-rank terms
/// beside their attention matrices (LoRA). Everything else stays frozen and untouched.

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "homolog/backbones/transformer_backbone.hpp"

namespace homolog::inline v0_1 {

/// One tuned tensor: a leaf that requires gradients, float32 at least.
struct TunedWeight {
  std::string name;     ///< as for_each_weight names it; LoRA adds `.lora_a` and `.lora_b`
  torch::Tensor value;  ///< the weight itself, or a factor of its low-rank term
};

/// A weight plus a low-rank term: base + scale * up * down.
struct LowRankTerm {
  std::string name;    ///< of the weight it is added to
  torch::Tensor base;  ///< [out,in] frozen
  torch::Tensor down;  ///< [rank,in] leaf
  torch::Tensor up;    ///< [out,rank] leaf
  double scale = 1;    ///< alpha / rank
};

/// The tuned part of a backbone. Copies share the tensors.
struct TunedWeights {
  int first_block = 0;                ///< blocks before it are frozen: their output can be kept
  std::vector<TunedWeight> list;      ///< all leaves, in the order of for_each_weight
  std::vector<LowRankTerm> low_rank;  ///< empty unless LoRA; their leaves stand in `list` too

  /// How many numbers are trained.
  std::int64_t elements() const {
    std::int64_t sum = 0;
    for (const auto& weight : list) sum += weight.value.numel();
    return sum;
  }
};

/// Low-rank adaptation (Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021) of
/// the matrices of queries, keys, values and of the attention's projection.
struct LoraSetting {
  int rank = 8;            ///< 1 to the length of a token
  double alpha = 16;       ///< the term is scaled by alpha / rank
  std::uint64_t seed = 0;  ///< of the start values of `down`; `up` starts at zero
};

/// Unfreezes the last k blocks that the features come through, and the final norm (SAM: the neck)
/// where the backbone's setting applies it; the paper's section 3.1.1.
///
/// The tuned tensors become float32 copies (float64 stays), so neither the weights file nor other
/// copies of this backbone change.
///
/// @param k 1 to layer() + 1
/// @param chosen which of those weights are tuned, by their name, such as
/// `blocks.11.attn.qkv.bias`; empty: all
/// @return leaves on the backbone's device, which the backbone computes with from now on
/// @throws SettingError when k is out of range, the facet is not the token's, or no weight is
/// chosen
TunedWeights unfreeze_last(TransformerBackbone& backbone, int k,
                           const std::function<bool(const std::string&)>& chosen = {});

/// Adds low-rank terms to `attn.qkv` and `attn.proj` of the last k blocks that the features come
/// through; all weights stay frozen. At the start the features do not change.
///
/// @throws SettingError when k or the rank is out of range or the facet is not the token's
TunedWeights add_lora(TransformerBackbone& backbone, int k, const LoraSetting& setting);

/// Brings the backbone's weights up to date with its low-rank terms; needed after each change of
/// them, before the next forward. Without such terms there is nothing to do.
///
/// @note differentiable where gradients are enabled
void refresh(TransformerBackbone& backbone, const TunedWeights& tuned);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/train/detail/tuned_weights_inl.hpp"
#endif
