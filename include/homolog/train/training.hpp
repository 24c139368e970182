// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A training, composed of policies as a Pipeline is.

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>

#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/core/field.hpp"
#include "homolog/core/progress.hpp"
#include "homolog/core/shard.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/train/augment.hpp"
#include "homolog/train/losses.hpp"
#include "homolog/train/optimizer.hpp"
#include "homolog/train/schedule.hpp"
#include "homolog/train/trainer.hpp"
#include "homolog/train/tuning.hpp"

namespace homolog::inline v0_1 {

/// What a training's steps depend on besides its policies.
struct TrainingSetting {
  TrainerSetting trainer{};  ///< the pipeline's query replaces its `query`
  int epochs = 8;            ///< passes over the training pairs, at least 1
  int batch_size = 4;        ///< pairs a forward and process
  int accumulate = 1;  ///< forwards a step: a step has batch_size * accumulate * processes pairs
  /// Of the pairs' order, the augmentation and LibTorch's generator; a Lora has a seed of its own.
  std::uint64_t seed = 0;
  bool cache = true;                     ///< keep the frozen blocks' output of each picture
  std::filesystem::path cache_folder{};  ///< keep it in a memory-mapped file there, not in memory

  double validation_alpha = 0.1;  ///< alpha of the PCK per point that decides which epoch is best
  int patience = 0;  ///< stop after so many epochs that beat no earlier one nor the start; 0: never

  /// What a resumed run must have in common with the one before besides this setting and what the
  /// policies' `identity()` says: weights, data set, loss. Stored in checkpoints.
  nlohmann::ordered_json identity = nlohmann::ordered_json::object();
  ProgressCallback cache_progress{};  ///< while the cache file is made: "trunk", in pictures
  std::function<void(const std::string&)> message{};  ///< one line the user should read
  Shard shard{};                                      ///< this process's part of the pairs
  std::function<void(torch::Tensor&)> sum{};  ///< adds a tensor up over all processes, in place

  /// The numbers, for checks, JSON and options.
  static constexpr auto fields() {
    using S = TrainingSetting;
    return std::tuple(
        Field{"epochs", &S::epochs, "passes over the pairs", Allowed::positive},
        Field{"batch_size", &S::batch_size, "pairs a forward and process", Allowed::positive},
        Field{"accumulate", &S::accumulate, "forwards a step", Allowed::positive},
        Field{"seed", &S::seed, "order of pairs, augmentation, LoRA's start"},
        Field{"validation_alpha", &S::validation_alpha, "threshold of the validation's PCK",
              Allowed::positive},
        Field{"patience", &S::patience,
              "stop after so many epochs without a better validation PCK; 0 does not stop",
              Allowed::not_negative});
  }
};

namespace detail {

/// Whether a policy has no `identity()`, or one of the right form.
template <class P>
concept IdentityFits = !requires {
  &P::identity;
}
|| requires(const P& policy) {
  { policy.identity() } -> std::same_as<nlohmann::ordered_json>;
};

}  // namespace detail

/// What is tuned, by which loss, at which learning rate, on which pairs, by which optimiser, and
/// what the validation answers with.
///
/// @code
/// homolog::Training training{.tuning = homolog::UnfreezeLast{{.blocks = 2}},
///                            .loss = homolog::CoordinateMse<MyMatcher>{}};
/// @endcode
/// Clang before 17 needs the types written: `homolog::Training<homolog::UnfreezeLast, MyLoss>`.
/// Each policy may have `nlohmann::ordered_json identity() const`, an object of what a run that is
/// resumed must have in common with the one before. A schedule, an optimiser or an augmentation
/// whose setting lists its fields needs none: they are its identity, with its `name` where it has
/// one. The keys are the policy's own: two parts of a training may not give one key two values.
template <class Tuning = UnfreezeLast, class Loss = CoordinateMse<>, class Schedule = ConstantRate,
          class Augment = Augmentation, class Optimizer = AdamW, class Matcher = Argmax>
struct Training {
  static_assert(WeightTuning<Tuning>,
                "homolog: a Tuning needs the member "
                "'TunedWeights operator()(TransformerBackbone& backbone) const'");
  static_assert(CorrespondenceLoss<Loss>,
                "homolog: a Loss needs the member "
                "'torch::Tensor operator()(const CorrespondenceBatch& batch) const'");
  static_assert(LearningRateSchedule<Schedule>,
                "homolog: a Schedule needs the member "
                "'double operator()(std::int64_t step, std::int64_t total_steps) const'");
  static_assert(PairAugmentation<Augment>,
                "homolog: an Augment needs one of the members "
                "'std::pair<AnnotatedImage, AnnotatedImage> operator()(AnnotatedImage source, "
                "AnnotatedImage target, RandomStream& random) "
                "const' and 'bool mirrors(RandomStream& random) const', and beside both 'bool "
                "changes_views() const'");
  static_assert(
      TrainingOptimizer<Optimizer>,
      "homolog: an Optimizer needs the members "
      "'OptimizerState start(const torch::Tensor& weight) const' and 'void "
      "operator()(const torch::Tensor& weight, const torch::Tensor& gradient, OptimizerState& "
      "state, const OptimizerStep& step) const'");
  static_assert(detail::IdentityFits<Tuning> && detail::IdentityFits<Loss> &&
                    detail::IdentityFits<Schedule> && detail::IdentityFits<Augment> &&
                    detail::IdentityFits<Optimizer> && detail::IdentityFits<Matcher>,
                "homolog: a training policy's optional member is "
                "'nlohmann::ordered_json identity() const'");

  Tuning tuning{};            ///< which weights become leaves
  Loss loss{};                ///< of which a step minimises the mean over its keypoints
  Schedule schedule{};        ///< of the learning rate
  Augment augment{};          ///< of the training pairs; validation pairs stay as they are
  Optimizer optimizer{};      ///< how weights take a step
  Matcher matcher{};          ///< of the validation
  TrainingSetting setting{};  ///< epochs, batches, seed, validation, processes
};

/// A backbone whose blocks can be tuned.
template <class B>
concept TrainableBackbone = std::derived_from<B, TransformerBackbone> && std::copyable<B>;

}  // namespace homolog::inline v0_1
