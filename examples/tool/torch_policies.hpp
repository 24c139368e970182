// SPDX-License-Identifier: Apache-2.0
#pragma once

// The transformers a user can name, loaded; for the translation units that see LibTorch.

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/distributed/process_group.hpp"
#include "homolog/weights/tensor_file.hpp"
#include "options.hpp"

namespace tool {

struct Loaded {
  homolog::TransformerBackbone policy;
  std::string name;
  homolog::TensorFile file;           // empty with random weights
  nlohmann::ordered_json checkpoint;  // its state; null without one
  std::string checkpoint_file;        // empty without one
};

// The transformer that the options name, on its device, with the checkpoint's tuned weights.
Loaded load_transformer(const BackboneOptions& options);

// What was used, where the options may say `auto`, and which files it came from.
nlohmann::ordered_json backbone_facts(const Loaded& loaded, const BackboneOptions& options,
                                      bool with_hash);

// The processes that a launcher started this one with; see join_evaluation().
std::shared_ptr<homolog::ProcessGroup> join_processes(double timeout_seconds,
                                                      BackboneOptions& backbone);

}  // namespace tool
