// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Applies a checkpoint's tuned tensors to the weights that they were tuned from: in a backbone in
/// memory, or merged into a full weights file.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <string>
#include <utility>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/stock.hpp"
#include "homolog/backbones/key_styles.hpp"
#include "homolog/backbones/torch_boundary.hpp"
#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/selection/one_of.hpp"
#include "homolog/train/checkpoint.hpp"
#include "homolog/train/tuned_weights.hpp"
#include "homolog/train/tuning.hpp"

namespace homolog::inline v0_1 {

/// What a checkpoint says about the backbone its tensors belong to.
struct TunedFrom {
  int blocks = 0;              ///< number of the backbone's blocks after keep_blocks()
  int layer = 0;               ///< 0-based block whose output is the feature
  bool final_norm = true;      ///< the model's last norm is applied to that output
  std::string weights_sha256;  ///< of the base's tensors; empty where the run did not state it
};

/// Reads TunedFrom out of a checkpoint.
///
/// @throws WeightsError when a field is missing or of another type
TunedFrom tuned_from(const Checkpoint& checkpoint);

/// The tuning policy of the run that wrote a checkpoint, when it is one of homolog's.
///
/// @throws WeightsError when it was another
OneOf<UnfreezeLast, Lora> stock_tuning(const Checkpoint& checkpoint);

/// Requires that a checkpoint was tuned from these weights.
///
/// @throws WeightsError that names both digests
void require_base(const Checkpoint& checkpoint, const TensorFile& base);

/// Puts a checkpoint's tuned weights into a backbone that holds the weights they were tuned from:
/// blocks, layer and final norm become those of the training, nothing requires gradients.
///
/// @param tuning the policy that the training used
/// @throws SettingError when the backbone has too few blocks, WeightsError when tensors are missing
///   or have another shape
template <WeightTuning Tuning>
void load_tuned(TransformerBackbone& backbone, const Checkpoint& checkpoint, const Tuning& tuning) {
  const TunedFrom from = tuned_from(checkpoint);
  TransformerBackbone result = backbone;
  if (from.blocks != static_cast<int>(result.model.blocks.size())) result.keep_blocks(from.blocks);
  result.setting.layer = from.layer;
  result.setting.final_norm = from.final_norm;
  const TunedWeights tuned = tuning(result);
  restore(tuned, checkpoint);
  const at::NoGradGuard no_gradients;
  refresh(result, tuned);
  for_each_weight(result.model,
                  [](const std::string&, torch::Tensor& weight) { weight = weight.detach(); });
  backbone = std::move(result);
}

/// The same for a checkpoint whose training tuned by UnfreezeLast or Lora.
///
/// @throws WeightsError when it was tuned by another policy
inline void load_tuned(TransformerBackbone& backbone, const Checkpoint& checkpoint) {
  load_tuned(backbone, checkpoint, stock_tuning(checkpoint));
}

namespace detail {

/// Replaces one tensor of a file with original key names by the tuned one of a Transformer.
///
/// @param mlp what the family names the layers of its MLPs
void replace_weight(TensorFile& original, const std::string& name, const torch::Tensor& value,
                    const MlpKeys& mlp);

}  // namespace detail

/// The base's weights with a checkpoint's tuned ones in their place, as a file with original key
/// names. Blocks that the training dropped are dropped, and `homolog.blocks` says so. Tuned
/// tensors are float32 whatever the base's dtype, so that features stay what they were.
///
/// @param backbone the base, loaded, with the checkpoint applied by load_tuned()
/// @throws WeightsError when the checkpoint's base is another, or its tensors do not fit
template <class List = StockFamilies>
TensorFile merge_tuned(const TensorFile& base, const Recognized& recognized,
                       TransformerBackbone backbone, const Checkpoint& checkpoint) {
  require_base(checkpoint, base);
  const TunedFrom from = tuned_from(checkpoint);
  TensorFile merged = to_original_keys<List>(base, recognized);
  const MlpKeys mlp = List::visit(
      recognized.family, [&]<class Family>(Family) { return Family::traits(recognized).mlp; });
  if (from.blocks < recognized.depth) {
    for (int i = from.blocks; i < recognized.depth; ++i) {
      const std::string prefix = detail::text("blocks.", i, ".");
      std::erase_if(merged.tensors,
                    [&](const auto& entry) { return entry.first.starts_with(prefix); });
    }
    merged.metadata["homolog.blocks"] = std::to_string(from.blocks);
  }
  const auto was_tuned = [&](const std::string& name) {
    const auto& tensors = checkpoint.tensors.tensors;
    return tensors.contains("tuned/" + name) || tensors.contains("tuned/" + name + ".lora_a");
  };
  for_each_weight(backbone.model, [&](const std::string& name, torch::Tensor& weight) {
    if (was_tuned(name)) detail::replace_weight(merged, name, weight, mlp);
  });
  return merged;
}

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/train/detail/load_tuned_inl.hpp"
#endif
