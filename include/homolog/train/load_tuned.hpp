// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Applies a checkpoint's tuned tensors to the weights that they were tuned from: in a backbone in
/// memory, or merged into a full weights file.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
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
#include "homolog/weights/torch_tensors.hpp"

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
inline TunedFrom tuned_from(const Checkpoint& checkpoint) {
  try {
    const auto& identity = checkpoint.state.at("identity");
    return {identity.at("blocks").get<int>(), identity.at("layer").get<int>(),
            identity.at("final_norm").get<bool>(), identity.value("weights_sha256", "")};
  } catch (const nlohmann::json::exception& error) {
    throw WeightsError(
        detail::text(checkpoint.tensors.name, ": its state cannot be read: ", error.what()));
  }
}

/// The tuning policy of the run that wrote a checkpoint, when it is one of homolog's.
///
/// @throws WeightsError when it was another
inline OneOf<UnfreezeLast, Lora> stock_tuning(const Checkpoint& checkpoint) {
  try {
    const auto& identity = checkpoint.state.at("identity");
    const int blocks = identity.at("unfreeze").get<int>();
    const int rank = identity.at("lora_rank").get<int>();
    if (rank == 0) return {UnfreezeLast{{blocks}}};
    return {Lora{{blocks, {rank, identity.at("lora_alpha").get<double>(), 0}}}};
  } catch (const nlohmann::json::exception&) {
    throw WeightsError(checkpoint.tensors.name +
                       ": its state names none of homolog's tunings; hand the one that it was "
                       "trained with to load_tuned()");
  }
}

/// Requires that a checkpoint was tuned from these weights.
///
/// @throws WeightsError that names both digests
inline void require_base(const Checkpoint& checkpoint, const TensorFile& base) {
  const std::string expected = tuned_from(checkpoint).weights_sha256;
  if (expected.empty()) return;
  const std::string found = tensors_sha256(base);
  if (found == expected) return;
  throw WeightsError(detail::text(checkpoint.tensors.name, ": tuned from weights with the SHA-256 ",
                                  expected.substr(0, 16), "..., but ", base.name, " has ",
                                  found.substr(0, 16), "..."));
}

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
inline void replace_weight(TensorFile& original, const std::string& name,
                           const torch::Tensor& value, const MlpKeys& mlp) {
  const auto put = [&](const std::string& key, const torch::Tensor& tensor) {
    const auto found = original.tensors.find(key);
    if (found == original.tensors.end() || found->second.shape != tensor.sizes().vec()) {
      throw WeightsError(text(original.name, ": no tensor '", key, "' of shape ",
                              shape_text(tensor.sizes()), " to put '", name, "' in"));
    }
    add_tensor(original, key, tensor);
  };
  const std::size_t at = name.find(".mlp.");
  if (at == std::string::npos) return put(name, value);
  const std::string block = name.substr(0, at + 1), rest = name.substr(at + 5);
  const std::string part = rest.substr(0, rest.find('.')), kind = rest.substr(rest.find('.'));
  const auto key = [&](std::string_view layer) { return block + std::string(layer) + kind; };
  if (part == "out") return put(key(mlp.out), value);
  if (part == "gate" && !mlp.gate.empty()) return put(key(mlp.gate), value);
  if (part != "in" && part != "gate") {
    throw WeightsError(text(original.name, ": '", name, "' is no layer of an MLP"));
  }
  const auto found = original.tensors.find(key(mlp.in));
  const bool joined = mlp.gate.empty() && found != original.tensors.end() &&
                      !found->second.shape.empty() &&
                      found->second.shape.front() == 2 * value.size(0);
  if (!joined) return put(key(mlp.in), value);
  // Gate and value lie in one matrix, the gate first.
  torch::Tensor both = to_torch(original, key(mlp.in)).to(value.scalar_type()).clone();
  const auto hidden = value.size(0);
  both.slice(0, part == "gate" ? 0 : hidden, part == "gate" ? hidden : 2 * hidden).copy_(value);
  put(key(mlp.in), both);
}

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
