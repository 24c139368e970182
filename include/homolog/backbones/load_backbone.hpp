// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A backbone of any family out of a weights file, in one call.

#include <torch/cuda.h>
#include <torch/types.h>

#include <filesystem>
#include <string>
#include <utility>

#include "homolog/backbones/any_backbone.hpp"
#include "homolog/backbones/families/stock.hpp"
#include "homolog/backbones/load_setting.hpp"
#include "homolog/backbones/load_transformer.hpp"
#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/weights/read_weights.hpp"

namespace homolog::inline v0_1 {

/// The device that LibTorch computes fastest on here: "cuda" where it finds a CUDA device that it
/// can use, otherwise "cpu".
inline std::string best_device() { return torch::cuda::is_available() ? "cuda" : "cpu"; }

namespace detail {

inline torch::Dtype dtype_to_load(const std::string& name) {
  if (name == "float32") return torch::kFloat32;
  if (name == "bfloat16") return torch::kBFloat16;
  if (name == "float16") return torch::kFloat16;
  throw SettingError("load_backbone: dtype " + name + ", expected float32, bfloat16 or float16");
}

inline torch::Device device_to_load(const std::string& name) {
  try {
    return torch::Device(name == "best" ? best_device() : name);
  } catch (const c10::Error&) {
    throw SettingError("load_backbone: " + name +
                       " is no device, expected best, cpu, cuda or cuda:1");
  }
}

}  // namespace detail

/// The backbone whose weights a file holds, of any family of the list.
///
/// @tparam List the families that the file is compared with
/// @param weights .safetensors, .pth or a sharded index, with the keys of any project that the
/// families know
/// @throws FileError, WeightsError as TransformerOf::load(); SettingError for a layer, device or
/// dtype that does not exist; DeviceError for one that cannot be used
template <class List = StockFamilies>
AnyBackbone load_backbone(const std::filesystem::path& weights, const LoadSetting& setting = {}) {
  const torch::Dtype dtype = detail::dtype_to_load(setting.dtype);
  const torch::Device device = detail::device_to_load(setting.device);
  TransformerBackbone backbone =
      load_backbone_of<List>(read_weights(weights), setting.variant, dtype);
  backbone.setting.layer = setting.layer;
  backbone.setting.final_norm = setting.final_norm;
  backbone.layer();  // one that does not exist is an error now
  backbone.to(device, dtype);
  return AnyBackbone(std::move(backbone));
}

}  // namespace homolog::inline v0_1
