// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What a training is and what it did, as a checkpoint says it: settings that can be meant, and
/// what a run that goes on must have in common with the one before.

#include <torch/types.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>

#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/field.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/core/shard.hpp"
#include "homolog/core/value_names.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/digest.hpp"
#include "homolog/pipeline/evaluation_json.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/selection/fields.hpp"
#include "homolog/selection/one_of.hpp"
#include "homolog/train/finetune_setting.hpp"
#include "homolog/train/training.hpp"

namespace homolog::inline v0_1::detail {

/// @throws SettingError for a setting that cannot be meant, DatasetError for no pairs
inline void require_valid(const TrainingSetting& setting, const PipelineSetting& pipeline,
                          const Dataset& train) {
  require_fields(setting, "finetune");
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

/// @throws SettingError when the validation's matcher needs what lies in several processes
template <class M>
void require_pairs_in_one_place(const TrainingSetting& setting) {
  if (!ProblemMatcher<M> || !needs_features<M>() || setting.shard.count == 1) return;
  throw SettingError(
      "finetune: the validation's matcher reads both feature maps of a pair, which may lie in "
      "different processes; run it in one process, or take a matcher of similarity maps");
}

/// An identity that grows: no part of a training may hide what another says.
struct TrainingIdentity {
  nlohmann::ordered_json json;

  /// @throws SettingError when the key has another value already
  void add(const std::string& key, const nlohmann::ordered_json& value) {
    const auto place = json.find(key);
    if (place != json.end() && *place != value) {
      throw SettingError(text("finetune: two parts of the training give '", key,
                              "' in their identity, once as ", json_text(*place), " and once as ",
                              json_text(value)));
    }
    json[key] = value;
  }

  /// @throws SettingError when that is no object
  void add_all(const nlohmann::ordered_json& object) {
    if (!object.is_object()) {
      throw SettingError(
          text("finetune: an identity is ", json_text(object), ", expected a JSON object"));
    }
    for (const auto& [key, value] : object.items()) add(key, value);
  }

  /// What a policy says of itself.
  template <class Policy>
  void add_of(const Policy& policy) {
    if constexpr (requires { policy.identity(); }) add_all(policy.identity());
  }
  template <class... P>
  void add_of(const OneOf<P...>& one) {
    std::visit([this](const auto& policy) { add_of(policy); }, one.policy);
  }

  /// The same, or else its name, where it has one, and the fields of its setting.
  ///
  /// @param kind the name's key
  template <class Policy>
  void add_fields_of(const Policy& policy, const char* kind) {
    if constexpr (
        requires { policy.identity(); } || !requires { policy.setting.fields(); }) {
      add_of(policy);
    } else {
      if constexpr (requires { Policy::name; }) add(kind, Policy::name);
      add_all(setting_json(policy.setting));
    }
  }
  template <class... P>
  void add_fields_of(const OneOf<P...>& one, const char* kind) {
    std::visit([&](const auto& policy) { add_fields_of(policy, kind); }, one.policy);
  }
};

/// What must be equal for a run to go on where another stopped.
///
/// @throws SettingError when two policies contradict each other
template <class T>
nlohmann::ordered_json training_identity(const T& training, const PipelineSetting& pipeline,
                                         const TransformerBackbone& backbone, const Dataset& train,
                                         const Dataset* validation) {
  const TrainingSetting& setting = training.setting;
  TrainingIdentity identity{nlohmann::ordered_json::object()};
  identity.add_all(setting.identity);
  identity.add_of(training.tuning);
  identity.add_of(training.loss);
  identity.add("learning_rate", setting.trainer.learning_rate);
  identity.add_fields_of(training.optimizer, "optimizer");
  identity.add("clip_norm", setting.trainer.clip_norm);
  identity.add("autocast",
               setting.trainer.autocast ? c10::toString(*setting.trainer.autocast) : "none");
  identity.add_fields_of(training.schedule, "schedule");
  identity.add("epochs", setting.epochs);
  identity.add("batch_size", setting.batch_size);
  identity.add("accumulate", setting.accumulate);
  identity.add("processes", setting.shard.count);
  identity.add("seed", setting.seed);
  identity.add_fields_of(training.augment, "augment");
  identity.add("query", value_name(pipeline.query));
  identity.add("image_size", pipeline.image_size);
  identity.add("resize", value_name(pipeline.resize));
  identity.add("layer", backbone.layer());
  identity.add("blocks", backbone.model.blocks.size());
  identity.add("final_norm", backbone.setting.final_norm);
  identity.add("train_pairs", train.pairs.size());
  identity.add("train_pairs_hash", hash_text(stable_hash(train)));
  identity.add("validation_pairs", validation != nullptr ? validation->pairs.size() : 0);
  identity.add("validation_pairs_hash",
               validation != nullptr ? hash_text(stable_hash(*validation)) : "none");
  identity.add("validation_alpha", setting.validation_alpha);
  if (validation != nullptr) identity.add_of(training.matcher);
  return identity.json;
}

/// Whether the steps that were done had the learning rates of a training of another length.
template <class Schedule>
bool same_rates(const Schedule& schedule, std::int64_t done, std::int64_t total,
                std::int64_t other_total) {
  if (done > total || done > other_total) return false;
  for (std::int64_t i = 0; i < done; ++i) {
    if (schedule(i, total) != schedule(i, other_total)) return false;
  }
  return true;
}

/// @param mine this run's identity
/// @param stored that of the run to go on from
/// @param same_steps whether the steps that it took are those of a run with so many epochs
/// @throws SettingError naming the first difference
template <class SameSteps>
void require_same_identity(const nlohmann::ordered_json& mine, const nlohmann::ordered_json& stored,
                           const SameSteps& same_steps) {
  const auto value_in = [](const nlohmann::ordered_json& json, const std::string& key) {
    return json.contains(key) ? json_text(json.at(key)) : std::string("nothing");
  };
  const auto require_same = [&](const std::string& key) {
    const std::string now = value_in(mine, key), before = value_in(stored, key);
    if (now == before) return;
    if (key == "epochs" && stored.contains(key) && same_steps(stored.at(key))) return;
    throw SettingError(text("resume: ", key, " is ", now, ", the checkpoint's run had ", before));
  };
  for (const auto& [key, value] : mine.items()) require_same(key);
  for (const auto& [key, value] : stored.items()) require_same(key);
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

/// What a training did, in a checkpoint's state.
inline nlohmann::ordered_json result_json(const FinetuneResult& result) {
  nlohmann::ordered_json json{{"step", result.steps}, {"stopped_early", result.stopped_early}};
  json["epochs"] = nlohmann::ordered_json::array();
  for (const auto& record : result.epochs) json["epochs"].push_back(epoch_json(record));
  if (result.best) json["best"] = epoch_json(*result.best);
  if (result.pck_before) json["pck_before"] = *result.pck_before;
  return json;
}
inline FinetuneResult stored_result(const nlohmann::ordered_json& state) {
  FinetuneResult result;
  result.steps = result.resumed_from_step = state.at("step").get<std::int64_t>();
  result.stopped_early = state.at("stopped_early").get<bool>();
  for (const auto& record : state.at("epochs")) result.epochs.push_back(epoch_record(record));
  if (state.contains("best")) result.best = epoch_record(state.at("best"));
  if (state.contains("pck_before")) result.pck_before = state.at("pck_before").get<double>();
  return result;
}

}  // namespace homolog::inline v0_1::detail
