// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Trainer and random generator in a checkpoint.

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "homolog/train/checkpoint.hpp"
#include "homolog/train/trainer.hpp"
#include "homolog/weights/torch_tensors.hpp"

namespace homolog::inline v0_1::detail {

/// LibTorch's generator of a device, which dropout and the like draw from.
struct DeviceGenerator {
  torch::Device device;

  void seed(std::uint64_t value) const {
    auto held = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(held.mutex());
    held.set_current_seed(value);
  }
  torch::Tensor state() const {
    auto held = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(held.mutex());
    return held.get_state();
  }
  void restore(const torch::Tensor& state) const {
    auto held = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(held.mutex());
    held.set_state(state);
  }
};

/// Adds the tuned weights and the optimiser's state to a checkpoint.
///
/// @param to_resume false adds only the weights
template <class O>
void add_trainer(Checkpoint& checkpoint, const Trainer<O>& trainer, bool to_resume) {
  const auto add = [&](const std::string& name, const torch::Tensor& tensor) {
    add_tensor(checkpoint.tensors, name, tensor.detach().clone());
  };
  for (std::size_t i = 0; i < trainer.tuned.list.size(); ++i) {
    const TunedWeight& weight = trainer.tuned.list[i];
    add("tuned/" + weight.name, weight.value);
    if (!to_resume) continue;
    for (const auto& [name, tensor] : trainer.memory[i]) add(name + "/" + weight.name, tensor);
  }
}

inline nlohmann::ordered_json scaler_json(const GradScaler& scaler) {
  return {{"scale", scaler.scale},
          {"steps_without_overflow", scaler.steps_without_overflow},
          {"skipped", scaler.skipped}};
}

/// Puts a checkpoint's weights, optimiser and scaler into a trainer.
///
/// @param steps that the checkpoint's run had done
/// @throws WeightsError before anything is changed, when a tensor is missing, has another form or
/// is unknown
template <class O>
void restore_trainer(Trainer<O>& trainer, const Checkpoint& checkpoint, std::int64_t steps) {
  const auto& stored = checkpoint.state.at("scaler");
  GradScaler scaler = trainer.scaler;
  scaler.scale = stored.at("scale").get<double>();
  scaler.steps_without_overflow = stored.at("steps_without_overflow").get<std::int64_t>();
  scaler.skipped = stored.at("skipped").get<std::int64_t>();
  std::set<std::string> known{"random"};
  for (std::size_t i = 0; i < trainer.tuned.list.size(); ++i) {
    for (const auto& [name, tensor] : trainer.memory[i]) {
      known.insert(name + "/" + trainer.tuned.list[i].name);
    }
  }
  for (const auto& [name, tensor] : checkpoint.tensors.tensors) {
    if (name.starts_with("tuned/") || known.contains(name)) continue;
    throw WeightsError(text(checkpoint.tensors.name, ": holds '", name,
                            "', which is no part of this optimiser's state"));
  }
  const at::NoGradGuard no_gradients;
  const auto for_each_memory = [&](const auto& visit) {
    for (std::size_t i = 0; i < trainer.tuned.list.size(); ++i) {
      for (auto& [name, tensor] : trainer.memory[i]) {
        visit(tensor,
              checkpoint_tensor(checkpoint, name + "/" + trainer.tuned.list[i].name, tensor));
      }
    }
  };
  for_each_memory([](const auto&, const auto&) {});  // all checks before the first change
  homolog::restore(trainer.tuned, checkpoint);
  for_each_memory([](auto& tensor, const auto& kept) { tensor.copy_(kept); });
  trainer.scaler = scaler;
  trainer.steps_taken = steps - scaler.skipped;
}

}  // namespace homolog::inline v0_1::detail
