// SPDX-License-Identifier: Apache-2.0
#pragma once

// What needs LibTorch, behind an interface without it.

#include <nlohmann/json.hpp>
#include <string>

#include "homolog/backbones/any_backbone.hpp"
#include "homolog/weights/tensor_file.hpp"
#include "options.hpp"

namespace tool {

struct NamedBackbone {
  homolog::AnyBackbone backbone;
  std::string name;
  int layer = 0;  // 0-based block in use
};

// The backbone a user named, loaded and set up.
NamedBackbone make_backbone(const BackboneOptions& options);

// Tensors patch_tokens [B,N,D], class_token [B,D] and register_tokens [B,R,D] of a picture or, when
// `tensors` is not empty, of the normalised tensor `input` [B,3,H,W] in that file.
homolog::TensorFile compute_features(const BackboneOptions& options,
                                     const InputOptions& input_options, const std::string& image,
                                     const std::string& tensors);

nlohmann::ordered_json torch_info();

}  // namespace tool
