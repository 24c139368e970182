// SPDX-License-Identifier: Apache-2.0
#include "torch_backend.hpp"

#include <ATen/Parallel.h>
#include <c10/util/Logging.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "homolog/backbones/load_transformer.hpp"
#include "homolog/backbones/recognize.hpp"
#include "homolog/backbones/synthetic.hpp"
#include "homolog/core/files.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/train/load_tuned.hpp"
#include "homolog/train/sha256.hpp"
#include "homolog/weights/read_weights.hpp"
#include "homolog/weights/safetensors.hpp"
#include "torch_policies.hpp"

namespace tool {

using namespace homolog;

namespace {

torch::Device parse_device(const std::string& name) {
  if (!name.starts_with("cuda")) return torch::kCPU;
  return homolog::at_torch_boundary("device " + name, [&] {
    if (!torch::cuda::is_available()) {
      throw DeviceError("device " + name + ": this LibTorch sees no CUDA device");
    }
    const torch::Device device(name);
    const int count = static_cast<int>(torch::cuda::device_count());  // 2.6 counts in another type
    if (device.has_index() && device.index() >= count) {
      throw DeviceError("device " + name + ": only " + std::to_string(count) + " CUDA devices");
    }
    return device;
  });
}

torch::Dtype parse_dtype(const std::string& name) {
  if (name == "bfloat16") return torch::kBFloat16;
  if (name == "float16") return torch::kFloat16;
  return torch::kFloat32;
}

Checkpoint named_checkpoint(const std::string& path) {
  return find_checkpoint(path, [](const std::string& line) {
    std::fprintf(stderr, "homolog: passed over: %s\n", line.c_str());
  });
}

// The name of what a file holds, or an error that says what to type where it may be several.
std::string recognized_name(const TensorFile& file) {
  const std::vector<Recognized> all = recognize_all(file);
  if (all.empty()) throw WeightsError(unrecognized(file));
  std::string names;
  for (const Recognized& one : all) {
    names += (names.empty() ? "" : " or ") + (one.variant.empty() ? one.family : one.variant);
  }
  if (all.size() == 1) return names;
  throw WeightsError(file.name + ": may be " + names +
                     ", whose files have the same keys and shapes; type --backbone NAME");
}

void apply_checkpoint(TransformerBackbone& policy, const BackboneOptions& options, Loaded& loaded) {
  const Checkpoint checkpoint = named_checkpoint(options.checkpoint);
  const TunedFrom from = tuned_from(checkpoint);
  const auto refuse = [](const char* option, int given, int tuned) {
    throw SettingError(std::string(option) + " " + std::to_string(given) +
                       ": the checkpoint was tuned with " + std::to_string(tuned));
  };
  if (options.blocks != 0 && options.blocks != from.blocks) {
    refuse("--blocks", options.blocks, from.blocks);
  }
  if (options.layer != -1 && options.layer != from.layer) {
    refuse("--layer", options.layer, from.layer);
  }
  if (!options.weights.empty()) require_base(checkpoint, loaded.file);
  load_tuned(policy, checkpoint);
  loaded.checkpoint = checkpoint.state;
  loaded.checkpoint_file = checkpoint.tensors.name;
  if (checkpoint.state.value("step", 1) == 0) {
    std::fprintf(stderr,
                 "homolog: %s: the backbone as it was before tuning, which no epoch was better "
                 "than\n",
                 loaded.checkpoint_file.c_str());
  }
}

}  // namespace

Loaded load_transformer(const BackboneOptions& options) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  const torch::Device device = parse_device(options.device);
  const torch::Dtype dtype = parse_dtype(options.dtype);
  Loaded loaded;
  loaded.name = options.backbone;
  if (options.weights.empty()) {
    loaded.policy = random_backbone_of(options.backbone, *options.random_weights);
  } else {
    loaded.file = read_weights(options.weights);
    if (options.backbone.empty()) loaded.name = recognized_name(loaded.file);
    loaded.policy = load_backbone_of(loaded.file, options.backbone, dtype);
  }
  TransformerBackbone& policy = loaded.policy;
  if (options.blocks != 0) policy.keep_blocks(options.blocks);
  policy.setting.layer = options.layer;
  policy.setting.final_norm = options.final_norm;
  policy.setting.facet = value_named<Facet>(options.facet);
  if (const auto rule = find_value<PositionInterpolation>(options.position_interpolation)) {
    policy.position_interpolation = *rule;
  }
  if (options.position_interpolation != "auto" && !policy.model.positions.defined()) {
    throw SettingError("--position-interpolation: " + loaded.name + " has no position table");
  }
  if (options.normalization == "imagenet") policy.input_normalization = imagenet_normalization;
  if (options.normalization == "half") policy.input_normalization = half_normalization;
  if (options.normalization == "satellite") policy.input_normalization = satellite_normalization;
  policy.layer();  // a block that does not exist is an error now, not after the decoding
  policy.to(device, dtype);
  if (!options.checkpoint.empty()) apply_checkpoint(policy, options, loaded);
  return loaded;
}

namespace {

// The normalised input [1,3,H,W] of a picture.
torch::Tensor picture_input(const TransformerBackbone& policy, const InputOptions& options,
                            const std::string& path) {
  const Image image = load_image(path);
  Pipeline<TransformerBackbone> pipeline(policy);
  pipeline.setting = pipeline_setting(options);
  const FrameTransform frames = pipeline.transform(image.size());
  homolog::require_memory(policy, frames, 1, path);
  announce_large_input(path, frames);
  const ImageTransform transform = frames.image;
  torch::Tensor pixels = torch::empty({1, 3, transform.input.height, transform.input.width});
  prepare_input(image, transform, policy.normalization(), pipeline.setting.filter,
                pixels.mutable_data_ptr<float>());
  return pixels;
}

// What a result file says about the training behind it.
nlohmann::ordered_json tuning_json(const nlohmann::ordered_json& checkpoint) {
  if (checkpoint.is_null()) return nullptr;
  nlohmann::ordered_json json;
  const auto& identity = checkpoint.at("identity");
  for (const char* key : {"unfreeze", "lora_rank", "loss", "seed", "epochs", "learning_rate",
                          "batch_size", "train_dataset", "train_split"}) {
    if (identity.contains(key)) json[key] = identity.at(key);
  }
  json["step"] = checkpoint.at("step");
  if (checkpoint.contains("epochs")) json["epoch"] = checkpoint.at("epochs").size();
  return json;
}

}  // namespace

void adopt_checkpoint(const BackboneOptions& backbone, InputOptions& input,
                      MatcherOptions& matcher) {
  nlohmann::ordered_json stored = nlohmann::ordered_json::object();
  if (!backbone.checkpoint.empty()) {
    stored = named_checkpoint(backbone.checkpoint).state.at("identity");
  }
  if (input.image_size == 0) input.image_size = stored.value("image_size", 0);
  if (input.resize.empty()) input.resize = stored.value("resize", "squash");
  if (input.filter == "auto") input.filter = stored.value("resize_filter", "auto");
  if (matcher.query.empty()) matcher.query = stored.value("query", "nearest");
}

std::shared_ptr<ProcessGroup> join_processes(double timeout_seconds, BackboneOptions& backbone) {
  const Launch launch = launch_from_environment();
  if (launch.processes > 1 && backbone.device == "cuda") {
    backbone.device += ":" + std::to_string(launch.local_rank);
  }
  // c10d prints what it also throws.
  if (!environment_variable("TORCH_CPP_LOG_LEVEL")) FLAGS_caffe2_log_level = c10::GLOG_FATAL;
  ProcessGroupSetting setting;
  setting.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(1000 * timeout_seconds));
  return std::make_shared<ProcessGroup>(launch, setting);
}

Shard join_evaluation(double timeout_seconds, BackboneOptions& backbone) {
  return process_shard(join_processes(timeout_seconds, backbone));
}

namespace {

std::string normalization_name(const Normalization& normalization) {
  if (normalization == imagenet_normalization) return "imagenet";
  if (normalization == satellite_normalization) return "satellite";
  if (normalization == half_normalization) return "half";
  const auto numbers = [](const auto& values) {
    return homolog::text(values[0], ", ", values[1], ", ", values[2]);
  };
  return "mean " + numbers(normalization.mean) + "; standard deviation " +
         numbers(normalization.standard_deviation);
}

// A weights file; for an index of shards, it and then its shards in the order of their names.
std::vector<std::filesystem::path> weights_files(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> files{path};
  if (!path.string().ends_with(shard_index_suffix)) return files;
  const auto index = nlohmann::json::parse(read_file(path, shard_index_limit));
  std::set<std::string> shards;  // the index was read before, so it is well-formed
  for (const auto& shard : index.at("weight_map")) shards.insert(shard.get<std::string>());
  for (const auto& shard : shards) files.push_back(path.parent_path() / shard);
  return files;
}

}  // namespace

nlohmann::ordered_json backbone_facts(const Loaded& loaded, const BackboneOptions& options,
                                      bool with_hash) {
  const TransformerBackbone& policy = loaded.policy;
  nlohmann::ordered_json facts{{"backbone", loaded.name}};
  facts["layer"] = policy.layer();
  facts["final_norm"] = policy.setting.final_norm;
  facts["facet"] = options.facet;
  facts["normalization"] = normalization_name(policy.normalization());
  facts["position_interpolation"] = policy.model.positions.defined()
                                        ? std::string(value_name(policy.position_interpolation))
                                        : "none";
  facts["dtype"] = options.dtype;
  if (options.random_weights) facts["random_weights"] = *options.random_weights;
  if (!options.weights.empty()) facts["weights"] = options.weights;
  if (!options.weights.empty() && with_hash) {
    facts["weights_file_sha256"] = files_sha256(weights_files(options.weights));
  }
  if (loaded.checkpoint.is_null()) return facts;
  facts["checkpoint"] = loaded.checkpoint_file;
  if (with_hash) {
    const std::filesystem::path file = loaded.checkpoint_file;
    facts["checkpoint_file_sha256"] = files_sha256(std::span(&file, 1));
  }
  facts["tuning"] = tuning_json(loaded.checkpoint);
  return facts;
}

NamedBackbone make_backbone(const BackboneOptions& options, bool with_hash) {
  if (options.backbone == "synthetic") {
    AnyBackbone synthetic{SyntheticBackbone{}};
    const nlohmann::ordered_json facts{
        {"backbone", "synthetic"},
        {"layer", 0},
        {"final_norm", true},
        {"facet", options.facet},
        {"normalization", normalization_name(synthetic.normalization())},
        {"position_interpolation", "none"},
        {"dtype", options.dtype}};
    return {std::move(synthetic), facts};
  }
  Loaded loaded = load_transformer(options);
  nlohmann::ordered_json facts = backbone_facts(loaded, options, with_hash);
  return {AnyBackbone(std::move(loaded.policy)), std::move(facts)};
}

TensorFile compute_features(const BackboneOptions& options, const InputOptions& input_options,
                            const std::string& image, const std::string& tensors) {
  const Loaded loaded = load_transformer(options);
  return homolog::at_torch_boundary("features", [&] {
    const torch::Tensor input = tensors.empty() ? picture_input(loaded.policy, input_options, image)
                                                : to_torch(read_safetensors(tensors), "input");
    const at::NoGradGuard no_gradients;
    const Features features = loaded.policy.features(input.to(torch::kFloat32));
    TensorFile output;
    add_tensor(output, "patch_tokens", features.patch_tokens.to(torch::kFloat32));
    if (features.class_token.defined()) {
      add_tensor(output, "class_token", features.class_token.to(torch::kFloat32));
    }
    if (features.register_tokens.defined()) {
      add_tensor(output, "register_tokens", features.register_tokens.to(torch::kFloat32));
    }
    output.metadata = {{"rows", std::to_string(features.rows)},
                       {"cols", std::to_string(features.cols)}};
    const auto facts = backbone_facts(loaded, options, true);
    for (const auto& [key, value] : facts.items()) {
      output.metadata[key] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    if (tensors.empty()) {
      output.metadata["image"] = image;
      output.metadata["resize"] = input_options.resize;
      output.metadata["resize_filter"] = resize_filter_name(input_options);
    } else {
      output.metadata["normalization"] = "as given";
    }
    return output;
  });
}

TensorFile merge_checkpoint(const std::string& weights, const TensorFile& file,
                            Recognized& recognized, const std::string& checkpoint) {
  BackboneOptions options;
  options.weights = weights;
  options.backbone = recognized.variant;
  options.checkpoint = checkpoint;
  Loaded loaded = load_transformer(options);
  const Checkpoint tuned = named_checkpoint(checkpoint);
  TensorFile merged = merge_tuned(file, recognized, loaded.policy, tuned);
  const auto result = recognize(merged);
  if (!result) throw WeightsError(weights + ": no known backbone any more after merging");
  const KeyStyle style = recognized.style;
  recognized = *result;
  recognized.style = style;
  return merged;
}

nlohmann::ordered_json torch_info() {
  auto devices = nlohmann::ordered_json::array({"cpu"});
  for (int i = 0; i < static_cast<int>(torch::cuda::device_count()); ++i) {
    devices.push_back("cuda:" + std::to_string(i));
  }
  std::string packed;
  for (const auto& [dtype, name] :
       {std::pair{at::kFloat, "float32"}, std::pair{at::kBFloat16, " bfloat16"}}) {
    if (packs_linear_layers(dtype)) packed += name;
  }
  return {
      {"libtorch", TORCH_VERSION},
      {"devices", devices},
      {"cuda", torch::cuda::is_available() ? "usable" : "no device, or a CPU build of LibTorch"},
      {"threads", at::get_num_threads()},
      {"packed_linear", packed.empty() ? "none, LibTorch's own linear layers" : packed}};
}

}  // namespace tool
