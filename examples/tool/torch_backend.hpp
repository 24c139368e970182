// SPDX-License-Identifier: Apache-2.0
#pragma once

// What needs LibTorch, behind an interface without it.

#include <nlohmann/json.hpp>
#include <string>

#include "homolog/backbones/any_backbone.hpp"
#include "homolog/backbones/families/family.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "homolog/weights/tensor_file.hpp"
#include "options.hpp"

namespace tool {

struct NamedBackbone {
  homolog::AnyBackbone backbone;
  nlohmann::ordered_json facts;  // for result files: layer, normalization, weights with hash ...
};

// Fills in the input size, resize mode, filter and query that a user left open: as the checkpoint
// was tuned with, else the defaults.
void adopt_checkpoint(const BackboneOptions& backbone, InputOptions& input,
                      MatcherOptions& matcher);

// The backbone a user named, loaded and set up.
//
// `with_hash`: the facts are for a file, so they hold the weights' SHA-256.
NamedBackbone make_backbone(const BackboneOptions& options, bool with_hash);

// Waits, where torchrun, mpirun or Slurm started several processes, until all have come; gives each
// its own CUDA device where the user named none by number.
homolog::Shard join_evaluation(double timeout_seconds, BackboneOptions& backbone);

// Tensors patch_tokens [B,N,D], class_token [B,D] and register_tokens [B,R,D] of a picture or, when
// `tensors` is not empty, of the normalised tensor `input` [B,3,H,W] in that file.
homolog::TensorFile compute_features(const BackboneOptions& options,
                                     const InputOptions& input_options, const std::string& image,
                                     const std::string& tensors);

// The weights file with the checkpoint's tuned weights in it, under original key names;
// `recognized` becomes that of the result.
homolog::TensorFile merge_checkpoint(const std::string& weights, const homolog::TensorFile& file,
                                     homolog::Recognized& recognized,
                                     const std::string& checkpoint);

nlohmann::ordered_json torch_info();

}  // namespace tool
