// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What a training is: settings that can be meant, and what a run that goes on must have in common
/// with the one before.

#include <torch/types.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/core/shard.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/digest.hpp"
#include "homolog/pipeline/evaluation_json.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/train/augment.hpp"
#include "homolog/train/finetune_setting.hpp"

namespace homolog::inline v0_1::detail {

/// @throws SettingError for a setting that cannot be meant, DatasetError for no pairs
inline const FinetuneSetting& checked(const FinetuneSetting& setting,
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

/// What must be equal for a run to go on where another stopped.
inline nlohmann::ordered_json training_identity(const FinetuneSetting& setting,
                                                const PipelineSetting& pipeline,
                                                const TransformerBackbone& backbone,
                                                const Dataset& train, const Dataset* validation) {
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

/// @param mine this run's identity
/// @param stored that of the run to go on from
/// @throws SettingError naming the first difference
inline void require_same_identity(const nlohmann::ordered_json& mine,
                                  const nlohmann::ordered_json& stored, Schedule schedule) {
  for (const auto& [key, value] : mine.items()) {
    const auto other = stored.contains(key) ? json_text(stored.at(key)) : "nothing";
    if (other == json_text(value)) continue;
    // The order of steps is the same whatever comes after them, unless the rate falls to an end.
    if (key == "epochs" && schedule == Schedule::constant) continue;
    throw SettingError(
        text("resume: ", key, " is ", json_text(value), ", the checkpoint's run had ", other));
  }
}

/// An epoch in a checkpoint's state; the loss of epoch 0 is NaN, which JSON does not have.
inline nlohmann::ordered_json epoch_json(const EpochRecord& record) {
  nlohmann::ordered_json json{{"epoch", record.epoch}};
  if (record.epoch > 0) json["loss"] = record.loss;
  if (record.pck) json["pck"] = *record.pck;
  return json;
}
inline EpochRecord epoch_record(const nlohmann::ordered_json& json) {
  EpochRecord record{json.at("epoch").get<int>(), std::numeric_limits<double>::quiet_NaN(),
                     std::nullopt};
  if (record.epoch > 0) record.loss = json.at("loss").get<double>();
  if (json.contains("pck")) record.pck = json.at("pck").get<double>();
  return record;
}

}  // namespace homolog::inline v0_1::detail
