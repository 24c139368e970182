// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every header that homolog::core promises to work without LibTorch.
#include <homolog/backbones/any_backbone.hpp>
#include <homolog/backbones/synthetic.hpp>
#include <homolog/datasets/jsonl.hpp>
#include <homolog/datasets/pf_pascal.hpp>
#include <homolog/datasets/spair.hpp>
#include <homolog/datasets/synthetic.hpp>
#include <homolog/images/decode.hpp>
#include <homolog/images/encode.hpp>
#include <homolog/images/prepare.hpp>
#include <homolog/images/resize.hpp>
#include <homolog/matchers/argmax.hpp>
#include <homolog/matchers/copy_coordinates.hpp>
#include <homolog/matchers/kernel_soft_argmax.hpp>
#include <homolog/matchers/mutual_nearest.hpp>
#include <homolog/matchers/soft_argmax.hpp>
#include <homolog/matchers/window_soft_argmax.hpp>
#include <homolog/metrics/pck.hpp>
#include <homolog/pipeline/evaluate.hpp>
#include <homolog/pipeline/evaluation_json.hpp>
#include <homolog/version.hpp>
#include <homolog/visualization/draw_matches.hpp>
#include <homolog/weights/audit.hpp>
#include <homolog/weights/key_maps.hpp>
#include <homolog/weights/read_weights.hpp>
#include <homolog/weights/safetensors.hpp>

#if defined(TORCH_API) || __has_include(<torch/torch.h>)
#error "LibTorch is within reach of a project that only uses homolog::core"
#endif
