// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Fine-tuning of a backbone's last blocks on a data set of keypoint pairs: a driver of a
/// TrainingRun that writes checkpoints and a log, resumes and reports.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iomanip>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include "homolog/core/errors.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/train/checkpoint.hpp"
#include "homolog/train/detail/checkpoint_folder.hpp"
#include "homolog/train/detail/train_log.hpp"
#include "homolog/train/finetune_setting.hpp"
#include "homolog/train/training.hpp"
#include "homolog/train/training_run.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// @throws SettingError for a setting that cannot be meant
inline void require_valid(const FinetuneSetting& setting) {
  const auto require_at_least = [](std::int64_t value, int least, const char* name) {
    if (value >= least) return;
    throw SettingError(text("finetune: ", name, " is ", value, ", expected at least ", least));
  };
  require_at_least(setting.checkpoint_every, 0, "checkpoint_every");
  require_at_least(setting.keep_last, 2, "keep_last");
  if (setting.resume && setting.checkpoint_folder.empty()) {
    throw SettingError("finetune: nothing to resume from without a checkpoint folder");
  }
}

/// What a training leaves on the disk, by the process that leads.
struct TrainingFiles {
  std::optional<CheckpointFolder> folder;
  std::optional<TrainLog> log;
};

inline bool step_checkpoints_exist(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::is_directory(folder, error) && !step_checkpoints(folder).empty();
}

/// Goes on from the folder's newest checkpoint, where the setting says so and there is one.
///
/// @throws SettingError when another training's checkpoints would be in the way
template <class Run>
void resume_or_start(Run& run, const FinetuneSetting& setting, bool writes) {
  const auto& folder = setting.checkpoint_folder;
  std::error_code error;
  if (setting.resume && step_checkpoints_exist(folder)) {
    const Checkpoint checkpoint = newest_checkpoint(
        folder, [&run](const std::string& line) { run.say("passed over: " + line); });
    run.restore(checkpoint);
    run.say(text("resumed from ", checkpoint.tensors.name, ", step ", run.result.steps, " of ",
                 run.total_steps()));
  } else if (setting.resume) {
    run.say(text("nothing to resume from in ", folder.string(), ": starting afresh"));
  } else if (writes && (!step_checkpoints(folder).empty() ||
                        std::filesystem::exists(folder / best_checkpoint_name, error))) {
    throw SettingError(text(
        folder.string(), ": holds checkpoints of another training; resume it (--resume), or name ",
        "another folder"));
  }
}

template <class Run>
void take_all_steps(Run& run, const FinetuneSetting& setting, TrainingFiles& files) {
  while (!run.finished()) {
    const TrainProgress& progress = run.step();
    if (files.folder && run.improved) {
      files.folder->write(std::string(best_checkpoint_name), run.state(false));
    }
    if (files.log) files.log->add(progress, run.epoch_ended);
    if (setting.progress) setting.progress(progress);
    const bool due = setting.checkpoint_every > 0
                         ? run.result.steps % setting.checkpoint_every == 0 || run.finished()
                         : run.epoch_ended;
    if (files.folder && due) {
      files.folder->write(step_checkpoint_name(run.result.steps), run.state());
    }
  }
}

inline std::string frozen_is_best(const FinetuneResult& result, bool writes) {
  const auto percent = [](double pck) {
    std::ostringstream stream;
    stream.imbue(std::locale::classic());
    stream << std::fixed << std::setprecision(2) << 100 * pck;
    return stream.str();
  };
  std::string line = text("no epoch beat the backbone as it was: validation PCK ",
                          percent(*result.best->pck), " before the first step");
  const auto highest = std::max_element(result.epochs.begin(), result.epochs.end(),
                                        [](const auto& a, const auto& b) { return a.pck < b.pck; });
  if (highest != result.epochs.end() && highest->pck) {
    line += text(", at best ", percent(*highest->pck), " in epoch ", highest->epoch);
  }
  if (writes) line += text("; ", best_checkpoint_name, " holds the weights as they were");
  return line;
}

template <class Run>
FinetuneResult drive(Run& run, const FinetuneSetting& setting, bool leads, bool validates) {
  const bool writes = !setting.checkpoint_folder.empty();
  TrainingFiles files;
  if (writes && leads) files.folder.emplace(setting.checkpoint_folder, setting.keep_last);
  resume_or_start(run, setting, files.folder.has_value());
  run.require_agreement_of_processes();
  if (!setting.log.empty() && leads) files.log.emplace(setting.log, run.result.steps);
  if (run.result.resumed_from_step == 0 && validates && !run.result.pck_before) {
    const double pck = run.validate_frozen();
    if (files.log) files.log->add_frozen(pck);
    if (files.folder) files.folder->write(std::string(best_checkpoint_name), run.state(false));
  }
  try {
    take_all_steps(run, setting, files);
  } catch (...) {
    const auto& best = run.result.best;
    if (files.folder && best && best->epoch == 0) files.folder->remove_lone_best();
    throw;
  }
  if (files.folder) files.folder->finish();
  FinetuneResult result = run.finish();
  if (result.best && result.best->epoch == 0) run.say(frozen_is_best(result, writes));
  return result;
}

}  // namespace detail

/// Tunes a backbone on a data set. The backbone computes with the tuned weights from then on: those
/// of the last step; the best epoch's are in the checkpoint folder. The backbone as it was competes
/// for "best" as epoch 0. When anything throws, the backbone is as it was before the call.
///
/// Epoch e visits the pairs in an order drawn from (seed, e), so equal settings give equal weights,
/// and a run resumed from a checkpoint ends with the same bytes as an uninterrupted one (CPU, same
/// number of threads). The loss of a step is the mean over all its keypoints.
///
/// @param training what is tuned, by which loss, and how
/// @param validation pairs that decide the best epoch; null: none, the last is best
/// @param pipeline resize mode with inputs of one size (not native), and how a query is read
/// @throws SettingError, DatasetError, ImageError, FileError before anything is written; ValueError
///   that names step and pairs when the loss is not finite, or under float16 when no step could be
///   taken, with the last checkpoint intact; WeightsError when there is nothing whole to resume
///   from; what a policy or a callback throws
template <class B, class... Policies>
FinetuneResult finetune(B& backbone, const Training<Policies...>& training, const Dataset& train,
                        const Dataset* validation, const PipelineSetting& pipeline,
                        const FinetuneSetting& setting = {}) {
  static_assert(TrainableBackbone<B>,
                "homolog: only a backbone derived from homolog::TransformerBackbone, such as "
                "DinoV2, has blocks that a training can tune");
  detail::require_valid(setting);
  const B before = backbone;  // shares the tensors, of which training changes none in place
  try {
    TrainingRun run(backbone, training, train, validation, pipeline);
    return detail::drive(run, setting, training.setting.shard.index == 0, validation != nullptr);
  } catch (...) {
    backbone = before;
    throw;
  }
}

}  // namespace homolog::inline v0_1
