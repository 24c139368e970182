// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One optimiser step on pairs of pictures: forward through the tuned blocks, loss, backward,
/// update. finetune() drives it over a data set; use it alone for a loop of your own.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "homolog/backbones/torch_boundary.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/field.hpp"
#include "homolog/matchers/tensor/detail/precision.hpp"
#include "homolog/train/grad_scaler.hpp"
#include "homolog/train/losses.hpp"
#include "homolog/train/optimizer.hpp"
#include "homolog/train/pair_batch.hpp"
#include "homolog/train/tuned_weights.hpp"

namespace homolog::inline v0_1 {

/// How a step is computed and taken.
struct TrainerSetting {
  double learning_rate = 1e-4;   ///< times the schedule's factor
  double clip_norm = 0;          ///< largest L2 norm of all gradients together; 0: no clipping
  Query query = Query::nearest;  ///< how a source keypoint reads its descriptor
  /// Dtype of the tuned blocks' matrix products (AMP): bfloat16, float16 (with a gradient scaler),
  /// or none. Weights, similarities, losses and optimiser stay in float32.
  std::optional<torch::Dtype> autocast;

  /// The numbers, for checks, JSON and options.
  static constexpr auto fields() {
    return std::tuple(Field{"learning_rate", &TrainerSetting::learning_rate,
                            "of the optimiser, times the schedule's factor", Allowed::positive},
                      Field{"clip_norm", &TrainerSetting::clip_norm,
                            "largest norm of all gradients together; 0 does not clip",
                            Allowed::not_negative, (std::numeric_limits<double>::max)()});
  }
};

/// What a step did.
struct StepResult {
  double loss = 0;           ///< mean over the step's keypoints, before the update
  double gradient_norm = 0;  ///< L2 norm of all gradients together, before clipping
  std::size_t points = 0;    ///< keypoints of the step, over all processes
  bool taken = true;         ///< false where the gradient scaler skipped it
};

/// Optimiser and scaler over a backbone's tuned weights. Copies share all tensors, so step only one
/// of them.
template <TrainingOptimizer O = AdamW>
struct Trainer {
  TrainerSetting setting;              ///< checked by the constructor
  TunedWeights tuned;                  ///< what step() changes
  O optimizer;                         ///< how it changes them
  std::vector<OptimizerState> memory;  ///< the optimiser's, one for each of `tuned.list`
  GradScaler scaler;                   ///< on for float16 autocast only
  std::int64_t steps_taken = 0;        ///< without those that the scaler skipped

  /// Takes weights to tune.
  ///
  /// @throws SettingError when the setting is out of range or there is no weight; what the
  /// optimiser's start() throws
  Trainer(TunedWeights tuned_, const TrainerSetting& setting_, O optimizer_ = {})
      : setting(checked(setting_)), tuned(std::move(tuned_)), optimizer(std::move(optimizer_)) {
    scaler.enabled = setting.autocast == torch::kFloat16;
    if (tuned.list.empty()) throw SettingError("trainer: there is no weight to tune");
    const at::NoGradGuard no_gradients;
    for (const auto& weight : tuned.list) {
      memory.push_back(optimizer.start(weight.value));
      for (const char* taken : {"tuned", "random"}) {
        if (memory.back().contains(taken)) {
          throw SettingError(detail::text("trainer: an optimiser's tensor may not be named '",
                                          taken, "', as checkpoints use that name"));
        }
      }
    }
  }

  /// Takes one step. Batches of different input sizes, and parts of a step that do not fit in
  /// memory together, are forwarded one after the other; their gradients add up.
  ///
  /// @param backbone the one that `tuned` was made from
  /// @param batches each on the backbone's device; may be empty where other processes have some
  /// @param learning_rate_factor of the schedule
  /// @param points keypoints of the whole step, over all processes
  /// @param sum adds a tensor up over all processes, in place; empty: one process
  /// @throws ValueError before any weight changes when the loss is not finite, or a gradient that
  ///   no scaling made overflow: without a scaler, or at a scale of 1 and less; DeviceError when
  ///   LibTorch fails
  /// @note synchronises the device
  template <CorrespondenceLoss Loss>
  StepResult step(TransformerBackbone& backbone, const Loss& loss,
                  std::span<const PairBatch> batches, double learning_rate_factor,
                  std::size_t points, const std::function<void(torch::Tensor&)>& sum = {}) {
    if (points == 0) throw ValueError("training step: no keypoint was given");
    return at_torch_boundary("training step", [&] {
      StepResult result;
      result.points = points;
      for (const auto& weight : tuned.list) weight.value.mutable_grad().reset();
      const double share = 1.0 / static_cast<double>(points);
      for (const PairBatch& batch : batches) {
        const torch::Tensor batch_loss = summed_loss(backbone, loss, batch) * share;
        result.loss += batch_loss.template item<double>();
        (batch_loss * scaler.factor()).backward();
      }
      if (!batches.empty()) require_gradients();
      add_up(result.loss, sum);
      result.gradient_norm = gradient_norm();
      const bool finite = std::isfinite(result.loss) && std::isfinite(result.gradient_norm);
      // A smaller scale mends gradients that overflow because of it, and nothing else.
      if (!std::isfinite(result.loss) || (!finite && scaler.factor() <= 1)) {
        throw ValueError(detail::text("training step: the loss is ", result.loss,
                                      ", the gradient's norm ", result.gradient_norm));
      }
      result.taken = scaler.update(finite);
      if (!result.taken) return result;
      clip(result.gradient_norm);
      update(setting.learning_rate * learning_rate_factor);
      return result;
    });
  }

  /// Sum of the losses of a batch's keypoints, [] with gradients where they are enabled.
  template <CorrespondenceLoss Loss>
  torch::Tensor summed_loss(TransformerBackbone& backbone, const Loss& loss,
                            const PairBatch& batch) const {
    const auto device = batch.tokens.device().type();
    const Features features = [&] {
      const detail::AutocastScope scope(device, setting.autocast.has_value(),
                                        setting.autocast.value_or(torch::kBFloat16));
      refresh(backbone, tuned);
      return backbone.features_from(tuned.first_block, batch.tokens, batch.input.height,
                                    batch.input.width);
    }();
    const CorrespondenceBatch maps =
        correspondences(features.patch_tokens, features.rows, features.cols, batch, setting.query);
    const torch::Tensor losses = loss(maps);
    detail::require_one_loss_a_keypoint(losses, maps.valid, "training step");
    return detail::zero_where_padded(losses, maps.valid).sum();
  }

 private:
  static const TrainerSetting& checked(const TrainerSetting& setting) {
    require_fields(setting, "trainer");
    if (setting.autocast && *setting.autocast != torch::kBFloat16 &&
        *setting.autocast != torch::kFloat16) {
      throw SettingError(detail::text("trainer: autocast to ", c10::toString(*setting.autocast),
                                      ", expected bfloat16 or float16"));
    }
    return setting;
  }

  /// A weight that the loss does not depend on would only decay.
  void require_gradients() const {
    for (const auto& weight : tuned.list) {
      if (weight.value.grad().defined()) continue;
      throw SettingError(detail::text("training step: no gradient reaches '", weight.name,
                                      "', which lies before the first tuned block or is not used"));
    }
  }

  void update(double learning_rate) {
    const at::NoGradGuard no_gradients;
    const OptimizerStep step{learning_rate, ++steps_taken};
    for (std::size_t i = 0; i < tuned.list.size(); ++i) {
      torch::Tensor value = tuned.list[i].value;
      optimizer(value, value.grad(), memory[i], step);
    }
  }

  /// Sums loss and gradients over all processes in one exchange, and takes the scale off.
  void add_up(double& loss, const std::function<void(torch::Tensor&)>& sum) {
    const double unscale = 1.0 / scaler.factor();
    for (const auto& weight : tuned.list) {
      auto& gradient = weight.value.mutable_grad();
      if (!gradient.defined()) gradient = torch::zeros_like(weight.value);
      if (scaler.enabled) gradient.mul_(unscale);
    }
    if (!sum) return;
    std::vector<torch::Tensor> flat;
    for (const auto& weight : tuned.list) flat.push_back(weight.value.grad().flatten());
    flat.push_back(torch::full({1}, loss, flat.front().options()));
    torch::Tensor all = at::cat(flat);
    sum(all);
    std::int64_t begin = 0;
    for (const auto& weight : tuned.list) {
      auto gradient = weight.value.grad();
      gradient.copy_(all.slice(0, begin, begin + gradient.numel()).view(gradient.sizes()));
      begin += gradient.numel();
    }
    loss = all[begin].item<double>();
  }

  double gradient_norm() const {
    torch::Tensor square = torch::zeros({}, torch::kFloat64);
    for (const auto& weight : tuned.list) {
      const auto norm = at::linalg_vector_norm(weight.value.grad()).to(torch::kFloat64).cpu();
      square += norm.square();
    }
    return std::sqrt(square.item<double>());
  }

  /// As PyTorch's clip_grad_norm_, whose 1e-6 keeps a norm of zero apart from a division by it.
  void clip(double norm) {
    const double factor = setting.clip_norm / (norm + 1e-6);
    if (!(setting.clip_norm > 0) || factor >= 1) return;
    for (const auto& weight : tuned.list) weight.value.mutable_grad().mul_(factor);
  }
};

}  // namespace homolog::inline v0_1
