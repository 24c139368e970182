// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What matching and evaluating take. Included where they are needed are train/, distributed/,
/// visualization/, selection/, interop/, testing/, and the data sets but for SPair-71k and jsonl,
/// some of which need a library for MATLAB's files. This header needs LibTorch; include single
/// headers of core/, features/, kernels/, matchers/ (but for matchers/tensor/), metrics/, images/,
/// datasets/ and pipeline/ to do without.

#include "homolog/backbones/any_backbone.hpp"
#include "homolog/backbones/load_backbone.hpp"
#include "homolog/backbones/synthetic.hpp"
#include "homolog/backbones/transformer_of.hpp"
#include "homolog/core/concepts.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/points.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/datasets/jsonl.hpp"
#include "homolog/datasets/spair.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/images/encode.hpp"
#include "homolog/images/prepare.hpp"
#include "homolog/images/resize.hpp"
#include "homolog/match.hpp"
#include "homolog/match_dense.hpp"
#include "homolog/match_on_device.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/mutual_nearest.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/tensor/decode.hpp"
#include "homolog/matchers/tensor/host_path.hpp"
#include "homolog/matchers/upsampled_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "homolog/metrics/pck.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "homolog/pipeline/evaluation_json.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/version.hpp"
#include "homolog/weights/safetensors.hpp"
