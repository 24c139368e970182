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
#include "homolog/selection/one_of.hpp"
#include "homolog/train/finetune_setting.hpp"
#include "homolog/train/training.hpp"

namespace homolog::inline v0_1::detail {

inline void require_at_least(auto value, int least, const char* name) {
  if (value < least) {
    throw SettingError(text("finetune: ", name, " is ", value, ", expected at least ", least));
  }
}

/// @throws SettingError for a setting that cannot be meant, DatasetError for no pairs
inline void require_valid(const TrainingSetting& setting, const PipelineSetting& pipeline,
                          const Dataset& train) {
  require_at_least(setting.epochs, 1, "epochs");
  require_at_least(setting.batch_size, 1, "batch_size");
  require_at_least(setting.accumulate, 1, "accumulate");
  require_at_least(setting.patience, 0, "patience");
  if (pipeline.resize == Resize::native) {
    throw SettingError(
        "finetune: native inputs differ in size, expected squash, letterbox or "
        "longest-side");
  }
  require_valid(setting.shard, "finetune");
  if (setting.shard.count > 1 && !setting.sum) {
    throw SettingError("finetune: several processes, and no way to add their gradients up");
  }
  if (train.pairs.empty()) throw DatasetError(train.name + ": no pairs to train on");
}

template <class Policy>
void add_identity(nlohmann::ordered_json& json, const Policy& policy) {
  if constexpr (HasIdentity<Policy>) json.update(policy.identity());
}

/// What must be equal for a run to go on where another stopped.
template <class T>
nlohmann::ordered_json training_identity(const T& training, const PipelineSetting& pipeline,
                                         const TransformerBackbone& backbone, const Dataset& train,
                                         const Dataset* validation) {
  const TrainingSetting& setting = training.setting;
  nlohmann::ordered_json json = setting.identity;
  add_identity(json, training.tuning);
  add_identity(json, training.loss);
  json["learning_rate"] = setting.trainer.learning_rate;
  add_identity(json, training.optimizer);
  json["clip_norm"] = setting.trainer.clip_norm;
  json["autocast"] = setting.trainer.autocast ? c10::toString(*setting.trainer.autocast) : "none";
  add_identity(json, training.schedule);
  json["epochs"] = setting.epochs;
  json["batch_size"] = setting.batch_size;
  json["accumulate"] = setting.accumulate;
  json["processes"] = setting.shard.count;
  json["seed"] = setting.seed;
  add_identity(json, training.augment);
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
  if (validation != nullptr) add_identity(json, training.matcher);
  return json;
}

/// @param mine this run's identity
/// @param stored that of the run to go on from
/// @param same_steps whether the steps that it took are those of a run with so many epochs
/// @throws SettingError naming the first difference
template <class SameSteps>
void require_same_identity(const nlohmann::ordered_json& mine, const nlohmann::ordered_json& stored,
                           const SameSteps& same_steps) {
  for (const auto& [key, value] : mine.items()) {
    const auto other = stored.contains(key) ? json_text(stored.at(key)) : "nothing";
    if (other == json_text(value)) continue;
    if (key == "epochs" && stored.contains(key) && same_steps(stored.at(key))) continue;
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
