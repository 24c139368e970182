// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How a weight takes a step along its gradient. What an optimiser remembers is named tensors, so a
/// checkpoint holds them like any other and reading one runs nobody's code.

#include <torch/types.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <tuple>

#include "homolog/core/field.hpp"

namespace homolog::inline v0_1 {

/// What an optimiser is told of a step.
struct OptimizerStep {
  double learning_rate = 0;  ///< of this step: the schedule's factor is in it
  std::int64_t number = 1;   ///< 1-based; steps that the gradient scaler skipped do not count
};

/// What an optimiser remembers of one weight; a checkpoint stores each tensor as `NAME/WEIGHT`.
using OptimizerState = std::map<std::string, torch::Tensor>;

/// Optimizer, minimum:
/// @code
/// struct MyOptimizer {
///   OptimizerState start(const torch::Tensor& weight) const;
///   void operator()(const torch::Tensor& weight, const torch::Tensor& gradient,
///                   OptimizerState& state, const OptimizerStep& step) const;
/// };
/// @endcode
/// `start` gives all that is remembered of a weight before the first step, on its device; an
/// optimiser without a memory returns {}. The call changes weight and state in place. Both run
/// without gradients.
template <class O>
concept TrainingOptimizer = requires(const O& optimizer, torch::Tensor weight,
                                     const torch::Tensor& gradient, OptimizerState& state,
                                     const OptimizerStep& step) {
  { optimizer.start(gradient) } -> std::convertible_to<OptimizerState>;
  optimizer(weight, gradient, state, step);
};

/// AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019) with betas of 0.9
/// and 0.999 and an epsilon of 1e-8; the same bits as torch::optim::AdamW.
struct AdamW {
  /// What a user may change.
  struct Setting {
    double weight_decay = 0.01;  ///< of every tuned tensor

    /// The fields, for checks, JSON, options and tables.
    static constexpr auto fields() {
      return std::tuple(Field{"weight_decay", &Setting::weight_decay,
                              "part of every tuned weight that a step of learning rate 1 takes off",
                              Allowed::not_negative, (std::numeric_limits<double>::max)()});
    }
  };
  Setting setting;  ///< checked by start()

  /// Moments of zero.
  ///
  /// @throws SettingError for a weight decay that is negative or not finite
  OptimizerState start(const torch::Tensor& weight) const {
    require_fields(setting, "AdamW");
    return {{"adamw/exp_avg", torch::zeros_like(weight)},
            {"adamw/exp_avg_sq", torch::zeros_like(weight)}};
  }

  /// Takes one step in place.
  void operator()(const torch::Tensor& weight, const torch::Tensor& gradient, OptimizerState& state,
                  const OptimizerStep& step) const {
    constexpr double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    if (setting.weight_decay != 0) weight.mul_(1 - step.learning_rate * setting.weight_decay);
    auto& mean = state.at("adamw/exp_avg");
    auto& square = state.at("adamw/exp_avg_sq");
    mean.mul_(beta1).add_(gradient, 1 - beta1);
    square.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
    const auto steps = static_cast<double>(step.number);
    const double correction1 = 1 - std::pow(beta1, steps), correction2 = 1 - std::pow(beta2, steps);
    const auto denominator = (square.sqrt() / std::sqrt(correction2)).add_(epsilon);
    weight.addcdiv_(mean, denominator, -step.learning_rate / correction1);
  }
};

}  // namespace homolog::inline v0_1
