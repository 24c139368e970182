// SPDX-License-Identifier: Apache-2.0
#pragma once

// The headers of homolog::core and, through them, all that they reach.
#include <homolog/backbones/any_backbone.hpp>
#include <homolog/backbones/load_setting.hpp>
#include <homolog/backbones/synthetic.hpp>
#include <homolog/features/feature_store.hpp>
#include <homolog/images/decode.hpp>
#include <homolog/images/encode.hpp>
#include <homolog/images/prepare.hpp>
#include <homolog/images/resize.hpp>
#include <homolog/kernels/attention.hpp>
#include <homolog/kernels/mutual_peaks.hpp>
#include <homolog/match_dense.hpp>
#include <homolog/matchers/argmax.hpp>
#include <homolog/matchers/copy_coordinates.hpp>
#include <homolog/matchers/kernel_soft_argmax.hpp>
#include <homolog/matchers/mutual_nearest.hpp>
#include <homolog/matchers/soft_argmax.hpp>
#include <homolog/matchers/upsampled_argmax.hpp>
#include <homolog/matchers/window_soft_argmax.hpp>
#include <homolog/metrics/pck.hpp>
#include <homolog/pipeline/pipeline.hpp>
#include <homolog/version.hpp>
#include <homolog/visualization/draw_matches.hpp>

#if defined(TORCH_API) || __has_include(<torch/torch.h>)
#error "LibTorch is within reach of a project that only uses homolog::core"
#endif
#if defined(INCLUDE_NLOHMANN_JSON_HPP_)
#error "homolog::core includes nlohmann-json"
#endif
