// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Fine-tuning of a backbone's last blocks on a data set of keypoint pairs, with checkpoints,
/// validation and resumption.

#include "homolog/core/matcher_concept.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/train/detail/finetune_run.hpp"
#include "homolog/train/finetune_setting.hpp"
#include "homolog/train/losses.hpp"

namespace homolog::inline v0_1 {

/// Tunes the last blocks of a backbone on a data set. The backbone computes with the tuned weights
/// from then on: those of the last step; the best epoch's are in the checkpoint folder. The
/// backbone as it was competes for "best" as epoch 0. When anything throws, the backbone is as it
/// was before the call.
///
/// Epoch e visits the pairs in an order drawn from (seed, e), so equal settings give equal weights,
/// and a run resumed from a checkpoint ends with the same bytes as an uninterrupted one (CPU, same
/// number of threads). The loss of a step is the mean over all its keypoints.
///
/// @param validation pairs that decide the best epoch; null: none, the last is best
/// @param pipeline resize mode with inputs of one size (not native); its query also reads
///   `trainer.query`
/// @param matcher what the validation answers with
/// @throws SettingError, DatasetError, ImageError, FileError before anything is written; ValueError
///   that names step and pairs when the loss is not finite, or under float16 when no step could be
///   taken, with the last checkpoint intact; WeightsError when there is nothing whole to resume
///   from; what the loss or a callback throws
template <class B, CorrespondenceLoss Loss, Matcher M = Argmax>
FinetuneResult finetune(B& backbone, const Loss& loss, const Dataset& train,
                        const Dataset* validation, PipelineSetting pipeline,
                        const FinetuneSetting& setting, const M& matcher = {}) {
  if (pipeline.image_size == 0) pipeline.image_size = default_image_size_of(backbone);
  const B before = backbone;  // shares the tensors, of which training changes none in place
  try {
    detail::FinetuneRun<Loss, M> run(backbone, loss, train, validation, pipeline, setting, matcher);
    return run.run();
  } catch (...) {
    backbone = before;
    throw;
  }
}

}  // namespace homolog::inline v0_1
