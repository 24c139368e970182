// SPDX-License-Identifier: Apache-2.0
// info, inspect, convert and features: what stands in files and what this build can do.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "homolog/backbones/key_styles.hpp"
#include "homolog/backbones/recognize.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/instruction_set.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/version.hpp"
#include "homolog/weights/read_weights.hpp"
#include "homolog/weights/safetensors.hpp"
#include "outputs.hpp"
#include "torch_backend.hpp"
#include "usage.hpp"

namespace tool {

using namespace homolog;

namespace {

std::string instruction_sets() {
  std::string names;
  for (const auto set : all_instruction_sets) {
    if (is_supported(set)) {
      names.append(names.empty() ? "" : " ").append(instruction_set_name(set));
    }
  }
  return names;
}

nlohmann::ordered_json recognized_json(const Recognized& recognized) {
  return {{"family", recognized.family},          {"variant", recognized.variant},
          {"keys", value_name(recognized.style)}, {"embed_dim", recognized.embed_dim},
          {"blocks", recognized.depth},           {"heads", recognized.heads},
          {"patch_size", recognized.patch_size},  {"registers", recognized.registers},
          {"window", recognized.window},          {"neck_channels", recognized.neck_channels}};
}

void inspect_command(const std::string& path, const std::string& json_path) {
  require_writable({{"--json", json_path}}, {{"FILE", path}});
  const TensorFile file = read_weights(path);
  nlohmann::ordered_json json{{"file", path}, {"tensors", nlohmann::ordered_json::array()}};
  std::size_t elements = 0;
  for (const auto& [key, tensor] : file.tensors) {
    std::size_t count = 1;
    for (const auto size : tensor.shape) count *= static_cast<std::size_t>(size);
    elements += count;
    json["tensors"].push_back(
        {{"key", key}, {"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}});
    std::printf("%-64s %-5s %s\n", key.c_str(), std::string(dtype_name(tensor.dtype)).c_str(),
                homolog::shape_text(tensor.shape).c_str());
  }
  std::printf("%zu tensors, %zu elements\n", file.tensors.size(), elements);
  const std::vector<Recognized> recognized = recognize_all(file);
  if (recognized.empty()) {
    std::printf("recognised: no known backbone\n%s\n", unrecognized(file).c_str());
  }
  for (const Recognized& one : recognized) {
    const auto facts = recognized_json(one);
    if (recognized.size() == 1) {
      json["recognized"] = facts;
    } else {
      json["may_be"].push_back(facts);
    }
    std::printf("%s: %s\n", recognized.size() == 1 ? "recognised" : "may be", facts.dump().c_str());
  }
  if (!json_path.empty()) write_file_atomically(json_path, homolog::json_text(json, 2) + "\n");
}

void require_safetensors_name(const std::string& path, const std::string& command) {
  if (path.ends_with(".safetensors")) return;
  throw UsageError("'" + path + "': " + command + " writes safetensors; type a name in " +
                   ".safetensors");
}

struct ConvertOptions {
  std::string input, output, to, checkpoint, backbone;
};

void convert_command(const ConvertOptions& options) {
  if (!options.backbone.empty()) {
    require_known(options.backbone);
    if (options.to.empty() && options.checkpoint.empty()) {
      throw UsageError("--backbone says what is renamed; type --to original or huggingface too");
    }
  }
  require_safetensors_name(options.output, "convert");
  require_writable({{"OUT", options.output}},
                   {{"IN", options.input}, {"--checkpoint", options.checkpoint}});
  TensorFile file = read_weights(options.input);
  if (!options.to.empty() || !options.checkpoint.empty()) {
    const auto base = recognize(file, options.backbone);
    if (!base) throw WeightsError(unrecognized(file));
    const KeyStyle to = options.to == "original"      ? KeyStyle::original
                        : options.to == "huggingface" ? KeyStyle::huggingface
                                                      : base->style;
    Recognized recognized = *base;
    if (options.checkpoint.empty()) {
      file = to_original_keys(file, recognized);
    } else {
      file = merge_checkpoint(options.input, file, recognized, options.checkpoint);
    }
    file = to_keys(file, recognized, to);
  }
  file.metadata["format"] = "pt";
  write_safetensors(options.output, file);
  std::printf("%s: %zu tensors\n", options.output.c_str(), file.tensors.size());
}

struct FeatureOptions {
  BackboneOptions backbone;
  InputOptions input;
  std::string image, tensors, output;
};

}  // namespace

void add_info(CLI::App& app) {
  auto* command = app.add_subcommand("info", "versions, devices and instruction sets");
  auto json_path = std::make_shared<std::string>();
  command->add_option("--json", *json_path, "write it as JSON");
  command->callback([json_path] {
    require_writable({{"--json", *json_path}}, {});
    nlohmann::ordered_json json{{"homolog", HOMOLOG_VERSION}};
    json.update(torch_info());
    json["instruction_sets"] = instruction_sets();
    json["kernels"] = instruction_set_name(active_instruction_set());
    if (!json_path->empty()) write_file_atomically(*json_path, homolog::json_text(json, 2) + "\n");
    for (const auto& [key, value] : json.items()) {
      std::printf("%-17s %s\n", key.c_str(),
                  value.is_string() ? value.get<std::string>().c_str() : value.dump().c_str());
    }
  });
}

void add_inspect(CLI::App& app) {
  auto* command = app.add_subcommand("inspect", "keys, dtypes and shapes of a weights file");
  auto path = std::make_shared<std::string>();
  auto json_path = std::make_shared<std::string>();
  command->add_option("FILE", *path, ".safetensors or .pth")->required();
  command->add_option("--json", *json_path, "write it as JSON");
  command->callback([path, json_path] { inspect_command(*path, *json_path); });
}

void add_convert(CLI::App& app) {
  auto* command = app.add_subcommand("convert", ".pth or .safetensors to .safetensors");
  auto options = std::make_shared<ConvertOptions>();
  command->add_option("IN", options->input, "weights file")->required();
  command->add_option("OUT", options->output, "file to write")->required();
  command->add_option("--to", options->to, "rename keys (default: keep)")
      ->check(CLI::IsMember({"original", "huggingface"}));
  command->add_option("--backbone", options->backbone,
                      "which model IN holds, where several have its keys and shapes");
  command->add_option("--checkpoint", options->checkpoint,
                      "put these tuned weights in: a checkpoint, or a folder's best, else newest");
  command->callback([options] { convert_command(*options); });
}

void add_features(CLI::App& app) {
  auto* command = app.add_subcommand("features", "patch, class and register tokens of a picture");
  auto options = std::make_shared<FeatureOptions>();
  auto* source = command->add_option_group("source");
  source->add_option("--image", options->image, "JPEG or PNG");
  source->add_option("--input", options->tensors,
                     "safetensors with `input` [B,3,H,W], float32, already normalised");
  source->require_option(1);
  command->add_option("--output", options->output, "safetensors to write")->required();
  add_backbone_options(*command, options->backbone);
  add_input_options(*command, options->input);
  command->callback([options] {
    require_fitting(options->backbone);
    if (options->backbone.backbone == "synthetic") {
      throw UsageError("--backbone synthetic has no tokens to write; type a Transformer's name");
    }
    const InputOptions untouched;
    if (!options->tensors.empty() &&
        (options->input.image_size != untouched.image_size ||
         options->input.resize != untouched.resize || options->input.filter != untouched.filter ||
         options->backbone.normalization != BackboneOptions{}.normalization)) {
      throw UsageError(
          "--input is prepared already; leave --image-size, --resize, --resize-filter and "
          "--normalization out");
    }
    require_safetensors_name(options->output, "features");
    require_writable({{"--output", options->output}},
                     {{"--image", options->image},
                      {"--input", options->tensors},
                      {"--weights", options->backbone.weights},
                      {"--checkpoint", options->backbone.checkpoint}});
    MatcherOptions unused;
    adopt_checkpoint(options->backbone, options->input, unused);
    write_safetensors(options->output, compute_features(options->backbone, options->input,
                                                        options->image, options->tensors));
  });
}

}  // namespace tool
