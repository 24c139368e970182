// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The body of finetune(): one object that holds all that a training consists of.

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iomanip>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/feature_map.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/datasets/digest.hpp"
#include "homolog/datasets/picture_set.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "homolog/train/checkpoint.hpp"
#include "homolog/train/detail/checkpoint_folder.hpp"
#include "homolog/train/detail/step_batches.hpp"
#include "homolog/train/detail/train_log.hpp"
#include "homolog/train/finetune_setting.hpp"
#include "homolog/train/frozen_trunk.hpp"
#include "homolog/train/tuned_source.hpp"

namespace homolog::inline v0_1::detail {

template <CorrespondenceLoss Loss, Matcher M>
struct FinetuneRun {
  FinetuneRun(TransformerBackbone& backbone_, const Loss& loss_, const Dataset& train_,
              const Dataset* validation_, const PipelineSetting& pipeline_,
              const FinetuneSetting& setting_, const M& matcher_)
      : backbone(backbone_),
        loss(loss_),
        train(train_),
        validation(validation_),
        pipeline(pipeline_),
        setting(checked(setting_, pipeline_, train_)),
        matcher(matcher_),
        trainer(tuned_weights(backbone_, setting_), trainer_setting()),
        trunk(backbone_, trainer.tuned.first_block, pipeline_, setting_.trainer.autocast) {}

  FinetuneResult run() {
    pictures = picture_set(train);  // bad annotations stop the run here
    prepare_trunk();
    seed_generator();
    std::optional<CheckpointFolder> folder;
    if (!setting.checkpoint_folder.empty() && leads()) {
      folder.emplace(setting.checkpoint_folder, setting.keep_last);
    }
    if (setting.resume && step_checkpoints_exist()) {
      resume();
    } else if (setting.resume) {
      say(text("nothing to resume from in ", setting.checkpoint_folder.string(),
               ": starting afresh"));
    } else if (folder && holds_checkpoints(setting.checkpoint_folder)) {
      throw SettingError(text(setting.checkpoint_folder.string(),
                              ": holds checkpoints of another training; resume it, or name another",
                              " folder"));
    }
    require_agreement_of_processes();
    std::optional<TrainLog> log;
    if (!setting.log.empty() && leads()) log.emplace(setting.log, result.steps);
    if (result.resumed_from_step == 0 && validation != nullptr && !result.pck_before) {
      start_from_frozen(folder, log);
    }
    try {
      take_all_steps(folder, log);
    } catch (...) {
      if (folder && result.best && result.best->epoch == 0) folder->remove_lone_best();
      throw;
    }
    if (folder) folder->finish();
    require_steps_taken();
    if (result.best && result.best->epoch == 0) say(frozen_is_best());
    refresh_without_gradients();
    result.trunk_forwards = trunk.forwards;
    result.skipped_steps = trainer.scaler.skipped;
    result.tuned_elements = trainer.tuned.elements();
    return result;
  }

 private:
  static const FinetuneSetting& checked(const FinetuneSetting& setting,
                                        const PipelineSetting& pipeline, const Dataset& train) {
    const auto at_least = [](auto value, int least, const char* name) {
      if (value < least) {
        throw SettingError(text("finetune: ", name, " is ", value, ", expected at least ", least));
      }
    };
    at_least(setting.epochs, 1, "epochs");
    at_least(setting.batch_size, 1, "batch_size");
    at_least(setting.accumulate, 1, "accumulate");
    at_least(setting.patience, 0, "patience");
    at_least(setting.checkpoint_every, 0, "checkpoint_every");
    at_least(setting.keep_last, 2, "keep_last");
    if (pipeline.resize == Resize::native) {
      throw SettingError(
          "finetune: native inputs differ in size, expected squash, letterbox or "
          "longest-side");
    }
    if (setting.resume && setting.checkpoint_folder.empty()) {
      throw SettingError("finetune: nothing to resume from without a checkpoint folder");
    }
    require_valid(setting.shard, "finetune");
    if (setting.shard.count > 1 && !setting.sum) {
      throw SettingError("finetune: several processes, and no way to add their gradients up");
    }
    require_valid(setting.augment);
    if (train.pairs.empty()) throw DatasetError(train.name + ": no pairs to train on");
    return setting;
  }

  static TunedWeights tuned_weights(TransformerBackbone& backbone, const FinetuneSetting& setting) {
    return setting.lora ? add_lora(backbone, setting.unfreeze, *setting.lora)
                        : unfreeze_last(backbone, setting.unfreeze);
  }

  TrainerSetting trainer_setting() const {
    TrainerSetting copy = setting.trainer;
    copy.query = pipeline.query;
    return copy;
  }

  bool step_checkpoints_exist() const {
    std::error_code error;
    return std::filesystem::is_directory(setting.checkpoint_folder, error) &&
           !step_checkpoints(setting.checkpoint_folder).empty();
  }
  static bool holds_checkpoints(const std::filesystem::path& folder) {
    std::error_code error;
    return !step_checkpoints(folder).empty() ||
           std::filesystem::exists(folder / best_checkpoint_name, error);
  }
  bool leads() const { return setting.shard.index == 0; }
  std::int64_t total_steps() const { return steps.an_epoch() * setting.epochs; }
  bool finished() const { return result.steps >= total_steps() || result.stopped_early; }

  /// What must be equal for a run to go on where another stopped.
  nlohmann::ordered_json identity() const {
    nlohmann::ordered_json json = setting.identity;
    json["unfreeze"] = setting.unfreeze;
    json["lora_rank"] = setting.lora ? setting.lora->rank : 0;
    json["lora_alpha"] = setting.lora ? setting.lora->alpha : 0.0;
    json["learning_rate"] = setting.trainer.learning_rate;
    json["weight_decay"] = setting.trainer.weight_decay;
    json["clip_norm"] = setting.trainer.clip_norm;
    json["autocast"] = setting.trainer.autocast ? c10::toString(*setting.trainer.autocast) : "none";
    json["schedule"] = schedule_name(setting.schedule);
    json["warmup_steps"] = setting.warmup_steps;
    json["epochs"] = setting.epochs;
    json["batch_size"] = setting.batch_size;
    json["accumulate"] = setting.accumulate;
    json["processes"] = setting.shard.count;
    json["seed"] = setting.seed;
    json["flip"] = setting.augment.flip;
    json["colour"] = setting.augment.colour;
    json["crop"] = setting.augment.crop;
    json["query"] = pipeline.query == Query::bilinear ? "bilinear" : "nearest";
    json["image_size"] = pipeline.image_size;
    json["resize"] = resize_name(pipeline.resize);
    json["layer"] = backbone.layer();
    json["blocks"] = backbone.model.blocks.size();
    json["final_norm"] = backbone.setting.final_norm;
    json["train_pairs"] = train.pairs.size();
    json["train_pairs_hash"] = hash_text(stable_hash(train));
    json["validation_pairs"] = validation != nullptr ? validation->pairs.size() : 0;
    json["validation_pairs_hash"] =
        validation != nullptr ? hash_text(stable_hash(*validation)) : "none";
    json["validation_alpha"] = setting.validation_alpha;
    return json;
  }

  /// The processes start from the same step of the same training.
  void require_agreement_of_processes() const {
    auto hash = stable_hash(json_text(identity()));
    hash = stable_hash(text(result.steps, result.stopped_early), hash);
    require_agreement(setting.shard, hash_text(hash), "finetune");
  }

  void say(const std::string& line) const {
    if (setting.message && leads()) setting.message(line);
  }

  PictureSet picture_set(const Dataset& dataset) const {
    return make_picture_set(dataset, [this](Size image) { return trunk.transform(image); });
  }

  void prepare_trunk() {
    trunk.keep = setting.cache;
    if (setting.cache && needs_pixels(setting.augment)) {
      say("augmentation changes pixels, so the frozen blocks run for every picture of every step: "
          "their output cannot be kept");
      return;  // validation pictures are still kept
    }
    if (!setting.cache || setting.cache_folder.empty()) return;
    std::vector<std::pair<std::filesystem::path, bool>> kept;
    for (const auto& picture : pictures.pictures) {
      kept.emplace_back(picture.path, picture.flip);
      if (setting.augment.flip > 0) kept.emplace_back(picture.path, !picture.flip);
    }
    if (validation != nullptr) {
      for (const auto& picture : picture_set(*validation).pictures) {
        kept.emplace_back(picture.path, picture.flip);
      }
    }
    // Each process has a file of its own: none has to wait for another's.
    const auto folder =
        setting.shard.count == 1
            ? setting.cache_folder
            : setting.cache_folder / ("process-" + std::to_string(setting.shard.index));
    trunk.keep_in_file(folder, kept, setting.cache_progress);
  }

  at::Generator generator() const {
    return at::globalContext().defaultGenerator(backbone.model.patch_weight.device());
  }
  void seed_generator() const {
    auto held = generator();
    const std::lock_guard<std::mutex> lock(held.mutex());
    held.set_current_seed(setting.seed);
  }

  /// @return true when the step was the last of its epoch
  bool take_step() {
    const std::int64_t epoch = result.steps / steps.an_epoch();
    const std::int64_t position = result.steps % steps.an_epoch();
    std::size_t points = 0;
    std::vector<PairBatch> batches;
    step_pairs = steps.parts_of_step(epoch, position, points);
    for (const auto& part : step_pairs) batches.push_back(steps.make_batch(part, epoch));
    const double factor =
        schedule_factor(setting.schedule, result.steps, setting.warmup_steps, total_steps());
    StepResult step;
    try {
      step = trainer.step(backbone, loss, batches, factor, points, setting.sum);
    } catch (const ValueError& error) {
      throw ValueError(text("step ", result.steps + 1, ", ", pairs_text(), ": ", error.what()));
    }
    ++result.steps;
    if (step.taken) {
      epoch_loss += step.loss * static_cast<double>(step.points);
      epoch_points += step.points;
    }
    current.epoch = static_cast<int>(epoch) + 1;
    current.step = result.steps;
    current.steps = total_steps();
    current.loss = epoch_points > 0 ? epoch_loss / static_cast<double>(epoch_points) : step.loss;
    current.learning_rate = setting.trainer.learning_rate * factor;
    current.gradient_norm = step.gradient_norm;
    current.step_loss = step.loss;
    current.taken = step.taken;
    return position + 1 == steps.an_epoch();
  }

  /// The pairs of the last step in an error's words.
  std::string pairs_text() const {
    constexpr std::size_t shown = 8;
    std::string names;
    std::size_t count = 0;
    for (const auto& part : step_pairs) {
      for (const std::size_t i : part) {
        if (++count <= shown) names += (count > 1 ? ", " : "") + train.pairs[i].name;
      }
    }
    if (count > shown) names += text(" and ", count - shown, " more");
    return text(count == 1 ? "pair " : "pairs ", names);
  }

  /// A training of which every step was skipped changed nothing, whatever its losses say.
  void require_steps_taken() const {
    if (result.steps == 0 || trainer.scaler.skipped < result.steps) return;
    throw ValueError(text("all ", result.steps, " steps to step ", result.steps, ", ", pairs_text(),
                          ", were skipped: float16 gradients overflow, at the end at a scale of ",
                          trainer.scaler.scale, "; train longer, in bfloat16, or with a loss of ",
                          "lower temperature"));
  }

  /// The backbone as it was is epoch 0: it stands in the log and competes for the best.
  void start_from_frozen(std::optional<CheckpointFolder>& folder, std::optional<TrainLog>& log) {
    result.pck_before = current.pck = validate();
    result.best = EpochRecord{0, std::numeric_limits<double>::quiet_NaN(), result.pck_before};
    if (log) log->add_frozen(*result.pck_before);
    if (folder) folder->write(std::string(best_checkpoint_name), snapshot(false));
  }

  void take_all_steps(std::optional<CheckpointFolder>& folder, std::optional<TrainLog>& log) {
    while (!finished()) {
      const bool epoch_ends = take_step();
      if (epoch_ends) end_epoch(folder);
      if (log) log->add(current, epoch_ends);
      if (setting.progress) setting.progress(current);
      const bool due = setting.checkpoint_every > 0
                           ? result.steps % setting.checkpoint_every == 0 || finished()
                           : epoch_ends;
      if (folder && due) folder->write(step_checkpoint_name(result.steps), snapshot(true));
    }
  }

  std::string frozen_is_best() const {
    const auto percent = [](double pck) {
      return text(std::fixed, std::setprecision(2), 100 * pck);
    };
    std::string line = text("no epoch beat the backbone as it was: validation PCK ",
                            percent(*result.best->pck), " before the first step");
    const auto highest =
        std::max_element(result.epochs.begin(), result.epochs.end(),
                         [](const auto& a, const auto& b) { return a.pck < b.pck; });
    if (highest != result.epochs.end() && highest->pck) {
      line += text(", at best ", percent(*highest->pck), " in epoch ", highest->epoch);
    }
    if (!setting.checkpoint_folder.empty()) {
      line += text("; ", best_checkpoint_name, " holds the weights as they were");
    }
    return line;
  }

  void end_epoch(std::optional<CheckpointFolder>& folder) {
    EpochRecord record{current.epoch, current.loss, std::nullopt};
    if (validation != nullptr) {
      record.pck = validate();
      current.pck = record.pck;
    }
    result.epochs.push_back(record);
    epoch_loss = 0;
    epoch_points = 0;
    if (!record.pck) return;
    if (!result.best || *record.pck > *result.best->pck) {
      result.best = record;
      if (folder) folder->write(std::string(best_checkpoint_name), snapshot(false));
    } else if (setting.patience > 0 && record.epoch - result.best->epoch >= setting.patience) {
      result.stopped_early = true;
      say(text("stopped early: no better PCK in the last ", setting.patience, " epochs"));
    }
  }

  void refresh_without_gradients() {
    const at::NoGradGuard no_gradients;
    refresh(backbone, trainer.tuned);
  }

  /// PCK per point on the validation pairs.
  double validate() {
    refresh_without_gradients();
    Pipeline<TunedSource, M> scored{TunedSource{&backbone, &trunk}, matcher};
    scored.setting = pipeline;
    EvaluateSetting evaluation;
    evaluation.alphas = {setting.validation_alpha};
    evaluation.batch_size = setting.batch_size;
    evaluation.shard = setting.shard;
    return evaluate(scored, *validation, evaluation).total.per_point.front();
  }

  /// A copy of the training's state that shares no memory with it.
  Checkpoint snapshot(bool to_resume) {
    Checkpoint checkpoint;
    const auto add = [&](const std::string& name, const torch::Tensor& tensor) {
      add_tensor(checkpoint.tensors, name, tensor.detach().clone());
    };
    auto& state = checkpoint.state;
    state = {{"format", 1},
             {"identity", identity()},
             {"step", result.steps},
             {"steps_an_epoch", steps.an_epoch()},
             {"epoch_loss", epoch_loss},
             {"epoch_points", epoch_points},
             {"stopped_early", result.stopped_early},
             {"scaler",
              {{"scale", trainer.scaler.scale},
               {"steps_without_overflow", trainer.scaler.steps_without_overflow},
               {"skipped", trainer.scaler.skipped}}}};
    state["epochs"] = nlohmann::ordered_json::array();
    for (const auto& record : result.epochs) state["epochs"].push_back(epoch_json(record));
    if (result.best) state["best"] = epoch_json(*result.best);
    if (result.pck_before) state["pck_before"] = *result.pck_before;
    auto adamw_steps = nlohmann::ordered_json::object();
    for (const auto& weight : trainer.tuned.list) {
      add("tuned/" + weight.name, weight.value);
      if (!to_resume) continue;
      const auto& moments = trainer.moments(weight);
      add("adamw/exp_avg/" + weight.name, moments.exp_avg());
      add("adamw/exp_avg_sq/" + weight.name, moments.exp_avg_sq());
      adamw_steps[weight.name] = moments.step();
    }
    if (to_resume) {
      state["adamw_steps"] = std::move(adamw_steps);
      auto held = generator();
      const std::lock_guard<std::mutex> lock(held.mutex());
      add("random", held.get_state());
    }
    return checkpoint;
  }

  static nlohmann::ordered_json epoch_json(const EpochRecord& record) {
    nlohmann::ordered_json json{{"epoch", record.epoch}};
    if (record.epoch > 0) json["loss"] = record.loss;
    if (record.pck) json["pck"] = *record.pck;
    return json;
  }
  static EpochRecord epoch_record(const nlohmann::ordered_json& json) {
    EpochRecord record{json.at("epoch").get<int>(), std::numeric_limits<double>::quiet_NaN(),
                       std::nullopt};
    if (record.epoch > 0) record.loss = json.at("loss").get<double>();
    if (json.contains("pck")) record.pck = json.at("pck").get<double>();
    return record;
  }

  void resume() {
    const Checkpoint checkpoint =
        newest_checkpoint(setting.checkpoint_folder,
                          [this](const std::string& line) { say("passed over: " + line); });
    try {
      require_same_identity(checkpoint.state.value("identity", nlohmann::ordered_json::object()));
      restore_state(checkpoint);
    } catch (const nlohmann::json::exception& error) {
      throw WeightsError(
          text(checkpoint.tensors.name, ": its state cannot be read: ", error.what()));
    }
    say(text("resumed from ", checkpoint.tensors.name, ", step ", result.steps, " of ",
             total_steps()));
  }

  void require_same_identity(const nlohmann::ordered_json& stored) const {
    const auto mine = identity();
    for (const auto& [key, value] : mine.items()) {
      const auto other = stored.contains(key) ? json_text(stored.at(key)) : "nothing";
      if (other == json_text(value)) continue;
      // The order of steps is the same whatever comes after them, unless the rate falls to an end.
      if (key == "epochs" && setting.schedule == Schedule::constant) continue;
      throw SettingError(
          text("resume: ", key, " is ", json_text(value), ", the checkpoint's run had ", other));
    }
  }

  void restore_state(const Checkpoint& checkpoint) {
    const auto& state = checkpoint.state;
    for (const auto& weight : trainer.tuned.list) {  // all checks before the first change
      for (const char* prefix : {"tuned/", "adamw/exp_avg/", "adamw/exp_avg_sq/"}) {
        checkpoint_tensor(checkpoint, prefix + weight.name, weight.value);
      }
      state.at("adamw_steps").at(weight.name).get<std::int64_t>();
    }
    restore(trainer.tuned, checkpoint);
    for (const auto& weight : trainer.tuned.list) {
      auto& moments = trainer.moments(weight);
      moments.exp_avg().copy_(to_torch(checkpoint.tensors, "adamw/exp_avg/" + weight.name));
      moments.exp_avg_sq().copy_(to_torch(checkpoint.tensors, "adamw/exp_avg_sq/" + weight.name));
      moments.step(state.at("adamw_steps").at(weight.name).get<std::int64_t>());
    }
    {
      auto held = generator();
      const std::lock_guard<std::mutex> lock(held.mutex());
      held.set_state(to_torch(checkpoint.tensors, "random").clone());
    }
    result.steps = result.resumed_from_step = state.at("step").get<std::int64_t>();
    epoch_loss = state.at("epoch_loss").get<double>();
    epoch_points = state.at("epoch_points").get<std::size_t>();
    result.stopped_early = state.at("stopped_early").get<bool>();
    const auto& scaler = state.at("scaler");
    trainer.scaler.scale = scaler.at("scale").get<double>();
    trainer.scaler.steps_without_overflow = scaler.at("steps_without_overflow").get<std::int64_t>();
    trainer.scaler.skipped = scaler.at("skipped").get<std::int64_t>();
    for (const auto& record : state.at("epochs")) result.epochs.push_back(epoch_record(record));
    if (state.contains("best")) result.best = epoch_record(state.at("best"));
    if (state.contains("pck_before")) result.pck_before = state.at("pck_before").get<double>();
    current.pck = result.epochs.empty() ? result.pck_before : result.epochs.back().pck;
  }

  TransformerBackbone& backbone;
  const Loss& loss;
  const Dataset& train;
  const Dataset* validation;
  PipelineSetting pipeline;
  const FinetuneSetting& setting;
  const M& matcher;  ///< of the validation
  PictureSet pictures;
  Trainer trainer;
  FrozenTrunk trunk;
  StepBatches steps{train, setting, pictures, trunk};
  FinetuneResult result;
  TrainProgress current;
  std::vector<std::vector<std::size_t>> step_pairs;  ///< of the last step, this process's
  double epoch_loss = 0;                             ///< summed over this epoch's keypoints
  std::size_t epoch_points = 0;
};

}  // namespace homolog::inline v0_1::detail
