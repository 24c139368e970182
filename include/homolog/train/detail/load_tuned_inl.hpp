// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of train/load_tuned.hpp.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/torch_boundary.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/selection/one_of.hpp"
#include "homolog/train/checkpoint.hpp"
#include "homolog/train/load_tuned.hpp"
#include "homolog/train/sha256.hpp"
#include "homolog/train/tuning.hpp"
#include "homolog/weights/torch_tensors.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE TunedFrom tuned_from(const Checkpoint& checkpoint) {
  try {
    const auto& identity = checkpoint.state.at("identity");
    return {identity.at("blocks").get<int>(), identity.at("layer").get<int>(),
            identity.at("final_norm").get<bool>(), identity.value("weights_sha256", "")};
  } catch (const nlohmann::json::exception& error) {
    throw WeightsError(
        detail::text(checkpoint.tensors.name, ": its state cannot be read: ", error.what()));
  }
}

HOMOLOG_INLINE OneOf<UnfreezeLast, Lora> stock_tuning(const Checkpoint& checkpoint) {
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

HOMOLOG_INLINE void require_base(const Checkpoint& checkpoint, const TensorFile& base) {
  const std::string expected = tuned_from(checkpoint).weights_sha256;
  if (expected.empty()) return;
  const std::string found = tensors_sha256(base);
  if (found == expected) return;
  throw WeightsError(detail::text(checkpoint.tensors.name, ": tuned from weights with the SHA-256 ",
                                  expected.substr(0, 16), "..., but ", base.name, " has ",
                                  found.substr(0, 16), "..."));
}

namespace detail {

HOMOLOG_INLINE void replace_weight(TensorFile& original, const std::string& name,
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

}  // namespace homolog::inline v0_1
