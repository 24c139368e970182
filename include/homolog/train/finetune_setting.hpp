// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How a fine-tuning runs, where it stands and what it did.

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "homolog/core/shard.hpp"
#include "homolog/train/augment.hpp"
#include "homolog/train/schedule.hpp"
#include "homolog/train/trainer.hpp"
#include "homolog/train/tuned_weights.hpp"

namespace homolog::inline v0_1 {

/// Where a training stands; given to FinetuneSetting::progress after every step.
struct TrainProgress {
  int epoch = 0;              ///< 1-based
  std::int64_t step = 0;      ///< steps done
  std::int64_t steps = 0;     ///< steps in total
  double loss = 0;            ///< mean of this epoch so far
  double step_loss = 0;       ///< of the last step
  double learning_rate = 0;   ///< of the last step
  double gradient_norm = 0;   ///< of the last step, before clipping
  bool taken = true;          ///< false where the gradient scaler skipped the last step
  std::optional<double> pck;  ///< last validation's PCK per point, as a fraction
};

/// How a fine-tuning runs.
struct FinetuneSetting {
  int unfreeze = 1;                 ///< k: the last blocks that are tuned
  std::optional<LoraSetting> lora;  ///< low-rank terms in those blocks instead of their weights
  TrainerSetting trainer;           ///< but for `query`, which is the pipeline's
  Schedule schedule = Schedule::constant;  ///< of the learning rate after the warm-up
  std::int64_t warmup_steps = 0;           ///< steps in which the learning rate rises linearly
  int epochs = 8;                          ///< passes over the training pairs, at least 1
  int batch_size = 4;                      ///< pairs a forward and process
  int accumulate = 1;  ///< forwards a step: a step has batch_size * accumulate * processes pairs
  std::uint64_t seed = 0;  ///< of the pairs' order, the augmentation and LibTorch's generator
  AugmentSetting augment;  ///< of the training pairs; validation pairs stay as they are
  bool cache = true;       ///< keep the frozen blocks' output of each picture
  std::filesystem::path cache_folder;  ///< keep it in a memory-mapped file there, not in memory

  double validation_alpha = 0.1;  ///< alpha of the PCK per point that decides which epoch is best
  int patience = 0;  ///< stop after so many epochs that beat no earlier one nor the start; 0: never

  std::filesystem::path checkpoint_folder;  ///< empty: no checkpoints
  std::int64_t checkpoint_every = 0;        ///< steps between checkpoints; 0: one an epoch
  int keep_last = 2;                        ///< checkpoints kept beside the best
  /// Go on from the folder's newest whole checkpoint; a folder without any starts afresh, with a
  /// message.
  bool resume = false;
  std::filesystem::path log;  ///< CSV, one row a step; empty: none

  /// What a resumed run must have in common with the one before besides this setting: weights,
  /// data set, loss. Stored in checkpoints.
  nlohmann::ordered_json identity = nlohmann::ordered_json::object();

  std::function<void(const TrainProgress&)> progress;  ///< called after every step
  /// Called while the cache file is made with pictures done and their number.
  std::function<void(std::size_t done, std::size_t total)> cache_progress;
  std::function<void(const std::string&)> message;  ///< one line the user should read
  Shard shard;  ///< this process's part of the pairs; process 0 alone writes checkpoints and log
  std::function<void(torch::Tensor&)> sum;  ///< adds a tensor up over all processes, in place
};

/// One epoch of a training; epoch 0 is the backbone as it was, before the first step.
struct EpochRecord {
  int epoch = 0;              ///< 1-based; 0: frozen
  double loss = 0;            ///< mean over its keypoints; NaN for epoch 0
  std::optional<double> pck;  ///< on the validation pairs, as a fraction
};

/// What a fine-tuning did.
struct FinetuneResult {
  std::int64_t steps = 0;              ///< those skipped and those before a resumption included
  std::int64_t skipped_steps = 0;      ///< by the gradient scaler
  std::int64_t tuned_elements = 0;     ///< numbers that were trained
  std::size_t trunk_forwards = 0;      ///< pictures that went through the frozen blocks
  std::vector<EpochRecord> epochs;     ///< those before a resumption included
  std::optional<EpochRecord> best;     ///< highest validation PCK; epoch 0 where none was better
  std::optional<double> pck_before;    ///< validation PCK before the first step
  std::int64_t resumed_from_step = 0;  ///< 0: started afresh
  bool stopped_early = false;          ///< by `patience`
};

}  // namespace homolog::inline v0_1
