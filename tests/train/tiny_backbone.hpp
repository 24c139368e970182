// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backbones/gold.hpp"
#include "homolog/backbones/dinov2.hpp"
#include "homolog/pipeline/pipeline.hpp"

namespace homolog::test {

/// A DINOv2 of two blocks with random weights, always the same.
inline DinoV2 tiny_backbone() {
  DinoV2 backbone;
  backbone.load(gold_file(expected_tensors<DinoV2Family>(tiny_dinov2(0, false))));
  return backbone;
}

/// Inputs of 56 pixels a side.
inline PipelineSetting small_inputs() {
  PipelineSetting setting;
  setting.image_size = 56;
  return setting;
}

}  // namespace homolog::test
