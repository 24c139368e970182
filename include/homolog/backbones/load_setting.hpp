// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How load_backbone() sets a backbone up; no LibTorch.

#include <string>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

/// What load_backbone() sets up.
struct LoadSetting {
  std::string variant = {};  ///< "dinov2_vitb14"; empty takes what the weights are recognised as
  int layer = -1;            ///< 0-based block whose output is used; -1 is the last
  bool final_norm = true;    ///< the model's last LayerNorm on that output
  /// As LibTorch writes it: "cpu", "cuda", "cuda:1"; or "best", which best_device() chooses.
  std::string device = "cpu";
  std::string dtype = "float32";  ///< or "bfloat16", "float16"
};

}  // namespace homolog::inline v0_1
