// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A training whose owner runs its steps, saves and restores it; finetune() is a short loop over
/// one.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/json_text.hpp"
#include "homolog/datasets/digest.hpp"
#include "homolog/datasets/picture_set.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "homolog/train/checkpoint.hpp"
#include "homolog/train/detail/step_batches.hpp"
#include "homolog/train/detail/trainer_state.hpp"
#include "homolog/train/detail/training_identity.hpp"
#include "homolog/train/finetune_setting.hpp"
#include "homolog/train/frozen_trunk.hpp"
#include "homolog/train/trainer.hpp"
#include "homolog/train/training.hpp"
#include "homolog/train/tuned_source.hpp"

namespace homolog::inline v0_1 {

/// A training of a backbone's last blocks on the pairs of a data set. It refers to the backbone and
/// the data sets, which must outlive it, and holds a copy of the training.
///
/// Epoch e visits the pairs in an order drawn from (seed, e), so equal settings give equal weights,
/// and a run that goes on from another's state() ends with the same bytes (CPU, same number of
/// threads). The loss of a step is the mean over all its keypoints.
///
/// @tparam T a Training
template <class T>
class TrainingRun {
 public:
  /// Reads the pictures' sizes and checks all annotations, and makes the file of the frozen blocks'
  /// output where the setting asks for one.
  ///
  /// @param backbone_ computes with the tuned weights from then on
  /// @param validation_ pairs that decide the best epoch; null: none
  /// @param pipeline_ resize mode with inputs of one size (not native), and how a query is read
  /// @throws SettingError, DatasetError, PointError, ImageError, FileError; some weights of the
  /// backbone may then already be trainable copies of equal values
  TrainingRun(TransformerBackbone& backbone_, const T& training_, const Dataset& train_,
              const Dataset* validation_, const PipelineSetting& pipeline_)
      : backbone(backbone_),
        training(checked(training_, pipeline_, train_)),
        train(train_),
        validation(validation_),
        pipeline(with_input_size(pipeline_)),
        trainer(training_.tuning(backbone_), trainer_setting(), training_.optimizer),
        trunk(backbone_, trainer.tuned.first_block, pipeline, trainer.setting.autocast) {
    require_matcher<Matcher>();
    if (validation != nullptr) detail::require_pairs_in_one_place<Matcher>(setting);
    rate_factor(0);
    identity();
    pictures = picture_set(train);  // bad annotations stop the run here
    prepare_trunk();
    generator().seed(setting.seed);
  }
  TrainingRun(TransformerBackbone&, const T&, const Dataset&&, const Dataset*,
              const PipelineSetting&) = delete;  // a temporary data set would be destroyed
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  FinetuneResult result;     ///< what was done so far
  TrainProgress progress;    ///< where the training stands
  bool epoch_ended = false;  ///< whether the last step was the last of its epoch
  bool improved = false;     ///< whether the epoch that it ended is the best so far

  /// Steps of the whole training.
  std::int64_t total_steps() const { return steps.an_epoch() * setting.epochs; }
  /// Whether nothing is left to do.
  bool finished() const { return result.steps >= total_steps() || result.stopped_early; }

  /// Takes one step, and validates after the last step of an epoch.
  ///
  /// @return where the training stands
  /// @throws ValueError that names step and pairs when the loss is not finite, before any weight
  /// changes; ImageError, FileError for a picture; what a policy and TrainingSetting::sum throw
  /// @note synchronises the backbone's device
  const TrainProgress& step() {
    const std::int64_t epoch = result.steps / steps.an_epoch();
    const std::int64_t position = result.steps % steps.an_epoch();
    std::size_t points = 0;
    std::vector<PairBatch> batches;
    step_pairs = steps.parts_of_step(epoch, position, points);
    const double factor = rate_factor(result.steps);
    for (const auto& part : step_pairs) batches.push_back(steps.make_batch(part, epoch));
    StepResult taken;
    try {
      taken = trainer.step(backbone, training.loss, batches, factor, points, setting.sum);
    } catch (const ValueError& error) {
      throw ValueError(detail::text("step ", result.steps + 1, ", ", steps.names_of(step_pairs),
                                    ": ", error.what()));
    }
    ++result.steps;
    if (taken.taken) {
      epoch_loss += taken.loss * static_cast<double>(taken.points);
      epoch_points += taken.points;
    }
    progress.epoch = static_cast<int>(epoch) + 1;
    progress.step = result.steps;
    progress.steps = total_steps();
    progress.loss = epoch_points > 0 ? epoch_loss / static_cast<double>(epoch_points) : taken.loss;
    progress.learning_rate = setting.trainer.learning_rate * factor;
    progress.gradient_norm = taken.gradient_norm;
    progress.step_loss = taken.loss;
    progress.taken = taken.taken;
    improved = false;
    epoch_ended = position + 1 == steps.an_epoch();
    if (epoch_ended) end_epoch();
    return progress;
  }

  /// Validates the backbone before the first step; the result counts as epoch 0 and competes for
  /// the best epoch.
  ///
  /// @return its PCK per point
  double validate_frozen() {
    result.pck_before = progress.pck = validate();
    result.best = EpochRecord{0, std::numeric_limits<double>::quiet_NaN(), result.pck_before};
    return *result.pck_before;
  }

  /// PCK per point on the validation pairs, as a fraction.
  ///
  /// @throws SettingError without validation pairs; what evaluate() throws
  double validate() {
    if (validation == nullptr) throw SettingError("validate: the training has no validation pairs");
    refresh_without_gradients();
    Pipeline<TunedSource, Matcher> scored{TunedSource{&backbone, &trunk}, training.matcher};
    scored.setting = pipeline;
    EvaluateSetting evaluation;
    evaluation.alphas = {setting.validation_alpha};
    evaluation.batch_size = setting.batch_size;
    evaluation.shard = setting.shard;
    return evaluate(scored, *validation, evaluation).total.per_point.front();
  }

  /// A copy of the training's state that shares no memory with it.
  ///
  /// @param to_resume true adds what restore() needs besides the tuned weights; a state without it
  /// serves load_tuned() only
  /// @note synchronises the backbone's device
  Checkpoint state(bool to_resume = true) {
    Checkpoint checkpoint;
    checkpoint.state = detail::result_json(result);
    checkpoint.state.update({{"format", 1},
                             {"identity", identity()},
                             {"steps_an_epoch", steps.an_epoch()},
                             {"epoch_loss", epoch_loss},
                             {"epoch_points", epoch_points},
                             {"scaler", detail::scaler_json(trainer.scaler)}});
    detail::add_trainer(checkpoint, trainer, to_resume);
    if (to_resume) add_tensor(checkpoint.tensors, "random", generator().state());
    return checkpoint;
  }

  /// Continues from the step at which another run's state() was taken.
  ///
  /// @throws SettingError when that run had other settings, pairs or weights; WeightsError when the
  /// state cannot be read
  void restore(const Checkpoint& checkpoint) {
    try {
      const auto& state = checkpoint.state;
      detail::require_same_identity(
          identity(), state.at("identity"), [&](const nlohmann::ordered_json& epochs) {
            return detail::same_rates(training.schedule, state.at("step").get<std::int64_t>(),
                                      total_steps(), epochs.get<int>() * steps.an_epoch());
          });
      restore_state(checkpoint);
    } catch (const nlohmann::json::exception& error) {
      throw WeightsError(
          detail::text(checkpoint.tensors.name, ": its state cannot be read: ", error.what()));
    }
  }

  /// Passes a line to the setting's `message`, on process 0 only.
  void say(const std::string& line) const {
    if (setting.message && setting.shard.index == 0) setting.message(line);
  }

  /// Checks that all processes are at the same step of the same training.
  ///
  /// @throws SettingError on every process where they do not
  void require_agreement_of_processes() const {
    auto hash = detail::stable_hash(json_text(identity()));
    hash = detail::stable_hash(detail::text(result.steps, result.stopped_early), hash);
    require_agreement(setting.shard, detail::hash_text(hash), "finetune");
  }

  /// Ends the training: the backbone computes with the weights of the last step, without gradients.
  ///
  /// @throws ValueError when every step was skipped under float16: the training changed nothing,
  /// whatever its losses say
  FinetuneResult finish() {
    if (result.steps > 0 && trainer.scaler.skipped >= result.steps) {
      throw ValueError(detail::text(
          "all ", result.steps, " steps to step ", result.steps, ", ", steps.names_of(step_pairs),
          ", were skipped, because float16 gradients overflowed, at the end at a scale of ",
          trainer.scaler.scale, "; train longer, in bfloat16, or with a lower temperature of the ",
          "loss"));
    }
    refresh_without_gradients();
    for (const auto& weight : trainer.tuned.list) weight.value.mutable_grad().reset();
    for_each_weight(backbone.model,
                    [](const std::string&, torch::Tensor& weight) { weight = weight.detach(); });
    result.trunk_forwards = trunk.forwards;
    result.skipped_steps = trainer.scaler.skipped;
    result.tuned_elements = trainer.tuned.elements();
    return result;
  }

 private:
  using Matcher = decltype(T::matcher);

  static const T& checked(const T& training, const PipelineSetting& pipeline,
                          const Dataset& train) {
    detail::require_valid(training.setting, pipeline, train);
    changes_views(training.augment);  // which checks its setting
    return training;
  }

  PipelineSetting with_input_size(PipelineSetting given) const {
    if (given.image_size == 0) given.image_size = default_image_size_of(backbone);
    return given;
  }

  TrainerSetting trainer_setting() const {
    TrainerSetting copy = setting.trainer;
    copy.query = pipeline.query;
    return copy;
  }

  /// @throws SettingError for a factor that is negative or not finite
  double rate_factor(std::int64_t step) const {
    const double factor = training.schedule(step, total_steps());
    if (factor >= 0 && std::isfinite(factor)) return factor;
    throw SettingError(detail::text("schedule: its factor is ", factor, " in step ", step + 1,
                                    ", expected a finite number of at least 0"));
  }

  nlohmann::ordered_json identity() const {
    return detail::training_identity(training, pipeline, backbone, train, validation);
  }

  PictureSet picture_set(const Dataset& dataset) const {
    return make_picture_set(dataset, [this](Size image) { return trunk.transform(image); });
  }

  void prepare_trunk() {
    trunk.keep = setting.cache;
    if (setting.cache && changes_views(training.augment)) {
      say("augmentation changes pixels, so the frozen blocks run for every picture of every step: "
          "their output cannot be kept");
      return;  // validation pictures are still kept
    }
    if (!setting.cache || setting.cache_folder.empty()) return;
    std::vector<std::pair<std::filesystem::path, bool>> kept;
    const bool mirrored = steps.ever_mirrors();
    for (const auto& picture : pictures.pictures) {
      kept.emplace_back(picture.path, picture.flip);
      if (mirrored) kept.emplace_back(picture.path, !picture.flip);
    }
    if (validation != nullptr) {
      for (const auto& picture : picture_set(*validation).pictures) {
        kept.emplace_back(picture.path, picture.flip);
      }
    }
    // Each process has a file of its own, so that none has to wait for another.
    const auto folder =
        setting.shard.count == 1
            ? setting.cache_folder
            : setting.cache_folder / ("process-" + std::to_string(setting.shard.index));
    trunk.keep_in_file(folder, kept, setting.cache_progress);
  }

  detail::DeviceGenerator generator() const { return {backbone.model.patch_weight.device()}; }

  void end_epoch() {
    EpochRecord record{progress.epoch, progress.loss, std::nullopt};
    if (validation != nullptr) {
      record.pck = validate();
      progress.pck = record.pck;
    }
    result.epochs.push_back(record);
    epoch_loss = 0;
    epoch_points = 0;
    if (!record.pck) return;
    if (!result.best || *record.pck > *result.best->pck) {
      result.best = record;
      improved = true;
    } else if (setting.patience > 0 && record.epoch - result.best->epoch >= setting.patience) {
      result.stopped_early = true;
      say(detail::text("stopped early: no better PCK in the last ", setting.patience, " epochs"));
    }
  }

  void refresh_without_gradients() {
    const at::NoGradGuard no_gradients;
    refresh(backbone, trainer.tuned);
  }

  void restore_state(const Checkpoint& checkpoint) {
    const auto& state = checkpoint.state;
    FinetuneResult stored = detail::stored_result(state);
    const auto loss = state.at("epoch_loss").get<double>();
    const auto points = state.at("epoch_points").get<std::size_t>();
    const torch::Tensor random = to_torch(checkpoint.tensors, "random").clone();
    at_torch_boundary("restoring the random generator", [&] { generator().restore(random); });
    detail::restore_trainer(trainer, checkpoint, stored.steps);
    result = std::move(stored);
    epoch_loss = loss;
    epoch_points = points;
    progress = {};
    progress.pck = result.epochs.empty() ? result.pck_before : result.epochs.back().pck;
    epoch_ended = improved = false;
  }

  TransformerBackbone& backbone;
  const T training;
  const TrainingSetting& setting = training.setting;
  const Dataset& train;
  const Dataset* validation;
  PipelineSetting pipeline;
  PictureSet pictures;
  Trainer<decltype(T::optimizer)> trainer;
  FrozenTrunk trunk;
  detail::StepBatches<decltype(T::augment)> steps{train, setting, training.augment, pictures,
                                                  trunk};
  std::vector<std::vector<std::size_t>> step_pairs;  ///< of the last step, this process's
  double epoch_loss = 0;                             ///< summed over this epoch's keypoints
  std::size_t epoch_points = 0;
};

}  // namespace homolog::inline v0_1
