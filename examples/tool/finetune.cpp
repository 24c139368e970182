// SPDX-License-Identifier: Apache-2.0
// finetune: tunes a backbone's last blocks on a data set.
#include "homolog/train/finetune.hpp"

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "commands.hpp"
#include "dataset_options.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/selection/one_of.hpp"
#include "homolog/train/sha256.hpp"
#include "options.hpp"
#include "outputs.hpp"
#include "progress.hpp"
#include "setting_options.hpp"
#include "torch_backend.hpp"
#include "torch_policies.hpp"
#include "usage.hpp"

namespace tool {

using namespace homolog;

namespace {

using AnyLoss = OneOf<CoordinateMse<>, GaussianCrossEntropy, InfoNce>;
using AnyRate = OneOf<ConstantRate, CosineRate>;
using AnyTraining = Training<OneOf<UnfreezeLast, Lora>, AnyLoss, AnyRate>;

struct FinetuneOptions {
  DatasetOptions data;
  std::string validation_split;
  BackboneOptions backbone;
  InputOptions input;
  MatcherOptions matcher;  // its query only
  std::string loss = "soft-argmax-mse", schedule = "constant", amp = "none", cache = "memory";
  // The fields that were typed.
  nlohmann::ordered_json loss_settings = nlohmann::ordered_json::object();
  nlohmann::ordered_json rate_settings = nlohmann::ordered_json::object();
  int unfreeze = 1, lora_rank = 0;
  double lora_alpha = 16;
  double timeout = 600;
  AnyTraining training;
  FinetuneSetting setting;
  std::string checkpoint_folder, cache_folder, log, json;
};

nlohmann::ordered_json pck_json(const std::optional<double>& pck) {
  if (!pck) return nullptr;
  return percent(*pck);
}

nlohmann::ordered_json epoch_json(const EpochRecord& record) {
  return {{"epoch", record.epoch}, {"loss", record.loss}, {"validation_pck", pck_json(record.pck)}};
}

// What the run depends on beside Training: a resumed one must agree.
nlohmann::ordered_json identity_json(const FinetuneOptions& options, const AnyLoss& loss,
                                     const Loaded& loaded, const Dataset& train) {
  nlohmann::ordered_json json{{"backbone", loaded.name}};
  if (options.backbone.weights.empty()) {
    json["random_weights"] = *options.backbone.random_weights;
  } else {
    json["weights_sha256"] = tensors_sha256(loaded.file);
  }
  const auto facts = backbone_facts(loaded, options.backbone, false);
  for (const char* key : {"dtype", "normalization", "position_interpolation"}) {
    json[key] = facts.at(key);
  }
  json["resize_filter"] = resize_filter_name(options.input);
  json["loss"] = options.loss;
  // Numbers as they were typed: a matcher rounds its own to float32. What a loss got later is named
  // where it was typed, so that older checkpoints resume.
  const nlohmann::ordered_json fields = policy_json(loss.policy);
  for (const auto& [field, value] : fields.items()) {
    if (field == "name" || (field == "radius" && !options.loss_settings.contains(field))) continue;
    json["loss_" + field] = options.loss_settings.value(field, value);
  }
  json["train_dataset"] = train.name;
  json["train_split"] = train.split;
  return json;
}

std::string percent_text(const std::optional<double>& pck) {
  if (!pck) return "";
  char text[48];
  std::snprintf(text, sizeof text, "  validation PCK %.2f", 100 * *pck);
  return text;
}

void choose_policies(FinetuneOptions& options) {
  AnyTraining& training = options.training;
  training.loss.policy = make_policy<decltype(AnyLoss::policy)>("loss", options.loss, "--loss-",
                                                                options.loss_settings);
  if (options.lora_rank > 0) {
    training.tuning.policy =
        Lora{{options.unfreeze, {options.lora_rank, options.lora_alpha, training.setting.seed}}};
  } else {
    training.tuning.policy = UnfreezeLast{{options.unfreeze}};
  }
  training.schedule.policy = make_policy<decltype(AnyRate::policy)>("schedule", options.schedule,
                                                                    "--", options.rate_settings);
  if (options.amp == "bfloat16") training.setting.trainer.autocast = torch::kBFloat16;
  if (options.amp == "float16") training.setting.trainer.autocast = torch::kFloat16;
  training.setting.cache = options.cache != "off";
  training.setting.cache_folder = options.cache_folder;
  options.setting.checkpoint_folder = options.checkpoint_folder;
  options.setting.log = options.log;
}

void finetune_command(FinetuneOptions options) {
  if (options.backbone.backbone == "synthetic") {
    throw UsageError("--backbone synthetic has no weights to tune; type a Transformer's name");
  }
  if (!options.backbone.checkpoint.empty()) {
    throw UsageError(
        "--checkpoint: to go on with a training, type --resume; to tune from tuned weights, "
        "merge them first with homolog convert --checkpoint");
  }
  require_fitting(options.backbone);
  const std::string usual_split = training_split(options.data);
  if (options.data.split.empty()) options.data.split = usual_split;
  require_fitting(options.data);
  std::optional<DatasetOptions> validation_data;
  if (!options.validation_split.empty()) {
    validation_data = options.data;
    validation_data->split = options.validation_split;
    require_fitting(*validation_data);
  }
  if ((options.cache == "file") == options.cache_folder.empty()) {
    throw UsageError("--cache file and --cache-folder DIR belong together; type both or neither");
  }
  choose_policies(options);
  const std::vector<std::filesystem::path> made{options.checkpoint_folder, options.cache_folder};
  std::vector<NamedFile> outputs;
  if (launch_from_environment().rank == 0) {
    outputs = {{"--json", options.json}, {"--log", options.log}};
  }
  require_writable(
      outputs,
      {{"--weights", options.backbone.weights}, {"--checkpoint-dir", options.checkpoint_folder}},
      made);
  const auto processes = join_processes(options.timeout, options.backbone);
  const bool leads = processes->launch().rank == 0;
  adopt_checkpoint(options.backbone, options.input, options.matcher);
  const Dataset train = load_dataset(options.data);
  if (leads) print_warnings(train);
  std::optional<Dataset> validation;
  require_writable(outputs, options.data, train, made);
  if (validation_data) {
    validation = load_dataset(*validation_data);
    require_writable(outputs, *validation_data, *validation, made);
    if (leads) print_warnings(*validation);
  }
  if (leads) {
    if (options.data.split == "test") {
      std::fprintf(stderr,
                   "homolog: warning: the split that is trained on is 'test'; its score "
                   "afterwards says nothing of other pairs\n");
    }
    if (options.checkpoint_folder.empty()) {
      std::fprintf(stderr,
                   "homolog: warning: without --checkpoint-dir DIR the tuned weights are "
                   "not kept\n");
    }
  }
  Loaded loaded = load_transformer(options.backbone);

  TrainingSetting& setting = options.training.setting;
  setting.identity = identity_json(options, options.training.loss, loaded, train);
  const auto facts = backbone_facts(loaded, options.backbone, leads && !options.json.empty());
  setting.shard = process_shard(processes);
  setting.sum = process_sum(processes);
  Progress progress;
  progress.terminal = progress.terminal && leads;
  setting.message = [&progress](const std::string& line) {
    progress.finish();
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  setting.cache_progress = std::ref(progress);
  std::optional<std::int64_t> first_step;
  options.setting.progress = [&](const TrainProgress& now) {
    if (!first_step) progress.before = static_cast<std::size_t>(*(first_step = now.step - 1));
    char details[96];
    std::snprintf(details, sizeof details, "  epoch %d/%d  loss %.4f", now.epoch, setting.epochs,
                  now.loss);
    progress("tuning", static_cast<std::size_t>(now.step), static_cast<std::size_t>(now.steps),
             details + percent_text(now.pck));
  };
  const FinetuneResult result =
      finetune(loaded.policy, options.training, train, validation ? &*validation : nullptr,
               pipeline_setting(options.input, options.matcher), options.setting);
  progress.finish();
  if (!leads) return;

  if (result.pck_before) {
    std::printf("epoch 0: as it was  %s\n", percent_text(result.pck_before).c_str());
  }
  for (const auto& record : result.epochs) {
    std::printf("epoch %d: loss %.5f%s\n", record.epoch, record.loss,
                percent_text(record.pck).c_str());
  }
  std::printf("%lld steps, %lld tuned parameters, %zu pictures through the frozen blocks\n",
              static_cast<long long>(result.steps), static_cast<long long>(result.tuned_elements),
              result.trunk_forwards);
  if (options.json.empty()) return;
  nlohmann::ordered_json json = setting.identity;
  json.update(facts);
  json["steps"] = result.steps;
  json["skipped_steps"] = result.skipped_steps;
  json["tuned_elements"] = result.tuned_elements;
  json["trunk_forwards"] = result.trunk_forwards;
  json["stopped_early"] = result.stopped_early;
  json["validation_pck_before"] = pck_json(result.pck_before);
  json["epochs"] = nlohmann::ordered_json::array();
  for (const auto& record : result.epochs) json["epochs"].push_back(epoch_json(record));
  json["best"] = result.best ? epoch_json(*result.best) : nlohmann::ordered_json(nullptr);
  write_file_atomically(options.json, homolog::json_text(json, 2) + "\n");
}

void add_training_options(CLI::App& command, FinetuneOptions& options) {
  TrainingSetting& setting = options.training.setting;
  command.add_option("--unfreeze", options.unfreeze, "tune the last K blocks and the final norm")
      ->check(number_from(1))
      ->capture_default_str();
  auto* rank = command
                   .add_option("--lora-rank", options.lora_rank,
                               "tune low-rank terms in those blocks instead of their weights")
                   ->check(CLI::Range(0, 4096));
  command.add_option("--lora-alpha", options.lora_alpha, "scale of those terms, alpha / rank")
      ->check(positive_number())
      ->needs(rank)
      ->capture_default_str();
  command.add_option("--loss", options.loss, "what is minimised")
      ->check(CLI::IsMember(names_of<decltype(AnyLoss::policy)>()))
      ->capture_default_str();
  add_setting_options<decltype(AnyLoss::policy)>(command, "--loss-", options.loss_settings);
  add_number_options(command, setting);
  add_number_options(command, setting.trainer);
  add_number_options(command, options.training.optimizer.setting);
  add_number_options(command, options.training.augment.setting);
  command.add_option("--schedule", options.schedule, "learning rate after the warm-up")
      ->check(CLI::IsMember(names_of<decltype(AnyRate::policy)>()))
      ->capture_default_str();
  add_setting_options<decltype(AnyRate::policy)>(command, "--", options.rate_settings);
  command.add_option("--amp", options.amp, "dtype of matrix products (mixed precision)")
      ->check(CLI::IsMember({"none", "bfloat16", "float16"}))
      ->capture_default_str();
  command.add_option("--cache", options.cache, "where the frozen blocks' output is kept")
      ->check(CLI::IsMember({"memory", "file", "off"}))
      ->capture_default_str();
  command.add_option("--cache-folder", options.cache_folder, "folder of --cache file");
}

}  // namespace

void add_finetune(CLI::App& app) {
  auto* command = app.add_subcommand("finetune", "tune a backbone's last blocks on a data set");
  auto options = std::make_shared<FinetuneOptions>();
  options->data.split.clear();
  FinetuneSetting& setting = options->setting;
  add_dataset_options(*command, options->data);
  command->add_option("--split", options->data.split,
                      "pairs to tune on (default: trn or train, by the data set)");
  auto* validation =
      command->add_option("--validation-split", options->validation_split,
                          "pairs whose PCK decides which epoch is best (default: none)");
  add_backbone_options(*command, options->backbone);
  add_input_options(*command, options->input);
  add_query_option(*command, options->matcher);
  add_training_options(*command, *options);
  for (const char* of_validation : {"--validation-alpha", "--patience"}) {
    command->get_option(of_validation)->needs(validation);
  }
  auto* folder =
      command->add_option("--checkpoint-dir", options->checkpoint_folder, "folder for checkpoints");
  command
      ->add_option("--checkpoint-every", setting.checkpoint_every,
                   "steps between checkpoints (default: one an epoch)")
      ->check(number_from(0))
      ->needs(folder);
  command->add_option("--keep-last", setting.keep_last, "checkpoints kept beside the best")
      ->check(number_from(2))
      ->needs(folder)
      ->capture_default_str();
  command->add_flag("--resume", setting.resume, "go on from the folder's newest checkpoint")
      ->needs(folder);
  add_timeout_option(*command, options->timeout);
  command->add_option("--log", options->log, "CSV, one row a step");
  command->add_option("--json", options->json, "result file");
  command->callback([options] { finetune_command(*options); });
}

}  // namespace tool
