// SPDX-License-Identifier: Apache-2.0
// homolog::compiled: see homolog/compiled.hpp.
#define HOMOLOG_COMPILING_STOCK_PIPELINES
#include "homolog/compiled.hpp"

#include <torch/types.h>

#include <utility>

#include "homolog/backbones/torch_boundary.hpp"
#include "homolog/backbones/transformer_of.hpp"

namespace homolog::inline v0_1 {

namespace {

torch::Dtype dtype_of(const std::string& name) {
  if (name == "float32") return torch::kFloat32;
  if (name == "bfloat16") return torch::kBFloat16;
  if (name == "float16") return torch::kFloat16;
  throw SettingError("load_backbone: dtype " + name + ", expected float32, bfloat16 or float16");
}

torch::Device device_of(const std::string& name) {
  try {
    return torch::Device(name);
  } catch (const c10::Error&) {
    throw SettingError("load_backbone: " + name + " is no device, expected cpu, cuda or cuda:1");
  }
}

}  // namespace

AnyBackbone load_backbone(const std::filesystem::path& weights, const LoadSetting& setting) {
  const torch::Dtype dtype = dtype_of(setting.dtype);
  const torch::Device device = device_of(setting.device);
  TransformerBackbone backbone = load_backbone_of(read_weights(weights), setting.variant, dtype);
  backbone.setting.layer = setting.layer;
  backbone.setting.final_norm = setting.final_norm;
  backbone.layer();  // one that does not exist is an error now
  backbone.to(device, dtype);
  return AnyBackbone(std::move(backbone));
}

HOMOLOG_STOCK_PIPELINES();

}  // namespace homolog::inline v0_1
