// SPDX-License-Identifier: Apache-2.0
// usage: train_step WEIGHTS.safetensors CASE.json INPUTS.safetensors OUTPUT.safetensors
//        train_step --version      prints LibTorch's version
//
// Takes the training steps that train_step.py describes, and writes what they did: loss and
// gradient_norm [steps]; for every tuned tensor start/NAME, grad/NAME [steps,...] as the optimiser
// saw it, and tuned/NAME after the last step.
#include <ATen/Parallel.h>
#include <torch/types.h>
#include <torch/version.h>

#include <cstdio>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "homolog/backbones/load_transformer.hpp"
#include "homolog/core/files.hpp"
#include "homolog/train/trainer.hpp"
#include "homolog/weights/read_weights.hpp"
#include "homolog/weights/safetensors.hpp"

namespace {

using namespace homolog;
using nlohmann::json;

TransformerBackbone load_backbone(const std::string& path, const json& asked) {
  const auto dtype = asked.at("dtype") == "float64" ? torch::kFloat64 : torch::kFloat32;
  TransformerBackbone backbone = load_backbone_of(read_weights(path), "", dtype);
  backbone.setting.layer = asked.at("layer").get<int>();
  backbone.setting.final_norm = asked.at("final_norm").get<bool>();
  return backbone;
}

TunedWeights tune(TransformerBackbone& backbone, const json& asked) {
  const int k = asked.at("unfreeze").get<int>();
  const json& lora = asked.at("lora");
  if (lora.is_null()) return unfreeze_last(backbone, k);
  return add_lora(backbone, k,
                  {lora.at("rank").get<int>(), lora.at("alpha").get<double>(),
                   lora.at("seed").get<std::uint64_t>()});
}

Points<GridFrame> cells(const json& list) {
  Points<GridFrame> points;
  for (const auto& point : list) points.push_back({point[0].get<double>(), point[1].get<double>()});
  return points;
}

std::vector<PairBatch> make_batches(const TransformerBackbone& backbone, int first_block,
                                    const TensorFile& inputs, const json& asked) {
  std::vector<PairBatch> batches;
  for (const auto& described : asked.at("batches")) {
    const auto input = to_torch(inputs, described.at("input").get<std::string>());
    PairBatch batch;
    batch.tokens = backbone.tokens_before(first_block, input);
    batch.input = {static_cast<int>(input.size(3)), static_cast<int>(input.size(2))};
    for (const auto& range : described.at("content")) {
      batch.content.push_back(
          {range[0].get<int>(), range[1].get<int>(), range[2].get<int>(), range[3].get<int>()});
    }
    for (const auto& pair : described.at("pairs")) {
      batch.pairs.push_back({pair.at("source").get<std::size_t>(),
                             pair.at("target").get<std::size_t>(), cells(pair.at("source_cells")),
                             cells(pair.at("target_cells"))});
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

template <class Loss>
TensorFile take_steps(TransformerBackbone& backbone, Trainer<>& trainer, const Loss& loss,
                      const std::vector<PairBatch>& batches, const json& asked) {
  TensorFile output;
  for (const auto& weight : trainer.tuned.list) {
    add_tensor(output, "start/" + weight.name, weight.value.detach().clone());
  }
  std::size_t points = 0;
  for (const auto& batch : batches) points += batch.points();
  std::vector<double> losses, norms;
  std::map<std::string, std::vector<torch::Tensor>> gradients;
  for (const double factor : asked.at("learning_rate_factors")) {
    const StepResult step = trainer.step(backbone, loss, batches, factor, points);
    losses.push_back(step.loss);
    norms.push_back(step.gradient_norm);
    for (const auto& weight : trainer.tuned.list) {
      gradients[weight.name].push_back(weight.value.grad().clone());
    }
  }
  add_tensor(output, "loss", torch::tensor(losses, torch::kFloat64));
  add_tensor(output, "gradient_norm", torch::tensor(norms, torch::kFloat64));
  for (const auto& weight : trainer.tuned.list) {
    add_tensor(output, "grad/" + weight.name, at::stack(gradients.at(weight.name)));
    add_tensor(output, "tuned/" + weight.name, weight.value);
  }
  return output;
}

TensorFile run(const std::string& weights, const json& asked, const TensorFile& inputs) {
  TransformerBackbone backbone = load_backbone(weights, asked);
  TunedWeights tuned = tune(backbone, asked);
  const auto batches = make_batches(backbone, tuned.first_block, inputs, asked);
  TrainerSetting setting;
  setting.learning_rate = asked.at("learning_rate").get<double>();
  setting.clip_norm = asked.at("clip_norm").get<double>();
  setting.query = asked.at("query") == "bilinear" ? Query::bilinear : Query::nearest;
  Trainer trainer(std::move(tuned), setting, AdamW{{asked.at("weight_decay").get<double>()}});
  const json& loss = asked.at("loss");
  const std::string name = loss.at("name").get<std::string>();
  const double temperature = loss.at("temperature").get<double>();
  if (name == "coordinate_mse") {
    return take_steps(backbone, trainer, CoordinateMse<>{{{static_cast<float>(temperature)}}},
                      batches, asked);
  }
  if (name == "gaussian_cross_entropy") {
    const GaussianCrossEntropy gaussian{
        {loss.at("sigma").get<double>(), loss.at("radius").get<int>(), temperature}};
    return take_steps(backbone, trainer, gaussian, batches, asked);
  }
  if (name == "info_nce") {
    return take_steps(backbone, trainer, InfoNce{{temperature}}, batches, asked);
  }
  throw SettingError("loss '" + name + "' is unknown");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == std::string("--version")) {
    std::puts(TORCH_VERSION);
    return 0;
  }
  if (argc != 5) {
    std::fprintf(stderr, "usage: train_step WEIGHTS CASE.json INPUTS OUTPUT\n");
    return 2;
  }
  try {
    at::set_num_threads(1);  // threads cost more than they bring in models this small
    const json asked = json::parse(read_file(argv[2], std::uintmax_t{1} << 20));
    write_safetensors(argv[4], run(argv[1], asked, read_safetensors(argv[3])));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_step: %s\n", error.what());
    return 1;
  }
  return 0;
}
