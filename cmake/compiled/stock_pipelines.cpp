// SPDX-License-Identifier: Apache-2.0
// homolog::compiled: see homolog/compiled.hpp.
#define HOMOLOG_COMPILING_STOCK_PIPELINES
#include "homolog/compiled.hpp"

#include <torch/types.h>

#include <utility>

#include "homolog/backbones/detail/torch_boundary.hpp"
#include "homolog/backbones/dinov2.hpp"
#include "homolog/backbones/dinov3.hpp"
#include "homolog/backbones/sam.hpp"
#include "homolog/backbones/vision_transformer.hpp"

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

template <class B>
AnyBackbone loaded(const TensorFile& file, const LoadSetting& setting) {
  B backbone;
  const torch::Dtype dtype = dtype_of(setting.dtype);
  const torch::Device device = device_of(setting.device);
  backbone.load(file, setting.variant, dtype);
  backbone.setting.layer = setting.layer;
  backbone.setting.final_norm = setting.final_norm;
  backbone.layer();  // one that does not exist is an error now
  backbone.to(device, dtype);
  return AnyBackbone(std::move(backbone));
}

}  // namespace

AnyBackbone load_backbone(const std::filesystem::path& weights, const LoadSetting& setting) {
  const TensorFile file = read_weights(weights);
  const auto recognized = recognize(file);
  if (!recognized) throw WeightsError(file.name + ": no known backbone's keys");
  if (recognized->family == "dinov2") return loaded<DinoV2>(file, setting);
  if (recognized->family == "dinov3") return loaded<DinoV3>(file, setting);
  if (recognized->family == "sam") return loaded<Sam>(file, setting);
  return loaded<VisionTransformer>(file, setting);
}

HOMOLOG_STOCK_PIPELINES();

}  // namespace homolog::inline v0_1
