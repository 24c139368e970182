// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The files, the progress and the result of a fine-tuning.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

/// The progress of a training, given to FinetuneSetting::progress after every step.
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

/// Checkpoints, log and progress of a fine-tuning; process 0 alone writes.
struct FinetuneSetting {
  std::filesystem::path checkpoint_folder{};  ///< empty: no checkpoints
  std::int64_t checkpoint_every = 0;          ///< steps between checkpoints; 0: one an epoch
  int keep_last = 2;                          ///< checkpoints kept beside the best
  /// Go on from the folder's newest whole checkpoint; a folder without any starts afresh, with a
  /// message.
  bool resume = false;
  std::filesystem::path log{};                           ///< CSV, one row a step; empty: none
  std::function<void(const TrainProgress&)> progress{};  ///< called after every step
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
