// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The stock backbones and pipelines, compiled once into the static library homolog::compiled
/// (CMake option HOMOLOG_COMPILED): this header knows no LibTorch, and what includes it compiles in
/// seconds. Opt-in; matchers, metrics and backbones of one's own compose with it as ever.

#include <filesystem>

#include "homolog/backbones/any_backbone.hpp"
#include "homolog/backbones/load_setting.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/upsampled_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "homolog/metrics/pck.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "homolog/pipeline/pipeline.hpp"

namespace homolog::inline v0_1 {

/// The backbone of a stock family whose weights a file holds. Defined in the library
/// homolog::compiled; backbones/load_backbone.hpp has a template of this name that does the same.
///
/// @throws FileError, WeightsError as the backbones' load(); SettingError for a layer, device or
/// dtype that does not exist; DeviceError for one that cannot be used
AnyBackbone load_backbone(const std::filesystem::path& weights, const LoadSetting& setting = {});

/// The pipelines that homolog::compiled defines; sources that include this header only declare
/// them.
// NOLINTBEGIN(bugprone-macro-parentheses): a keyword
#define HOMOLOG_STOCK_PIPELINES(PREFIX)                                                            \
  PREFIX template struct Pipeline<AnyBackbone, Argmax, PckPerPoint>;                               \
  PREFIX template struct Pipeline<AnyBackbone, SoftArgmax, PckPerPoint>;                           \
  PREFIX template struct Pipeline<AnyBackbone, WindowSoftArgmax, PckPerPoint>;                     \
  PREFIX template struct Pipeline<AnyBackbone, KernelSoftArgmax, PckPerPoint>;                     \
  PREFIX template struct Pipeline<AnyBackbone, UpsampledArgmax, PckPerPoint>;                      \
  PREFIX template Evaluation evaluate(const Pipeline<AnyBackbone, Argmax, PckPerPoint>&,           \
                                      const Dataset&, const EvaluateSetting&);                     \
  PREFIX template Evaluation evaluate(const Pipeline<AnyBackbone, SoftArgmax, PckPerPoint>&,       \
                                      const Dataset&, const EvaluateSetting&);                     \
  PREFIX template Evaluation evaluate(const Pipeline<AnyBackbone, WindowSoftArgmax, PckPerPoint>&, \
                                      const Dataset&, const EvaluateSetting&);                     \
  PREFIX template Evaluation evaluate(const Pipeline<AnyBackbone, KernelSoftArgmax, PckPerPoint>&, \
                                      const Dataset&, const EvaluateSetting&);                     \
  PREFIX template Evaluation evaluate(const Pipeline<AnyBackbone, UpsampledArgmax, PckPerPoint>&,  \
                                      const Dataset&, const EvaluateSetting&)
// NOLINTEND(bugprone-macro-parentheses)

#ifndef HOMOLOG_COMPILING_STOCK_PIPELINES
/// @cond
HOMOLOG_STOCK_PIPELINES(extern);
/// @endcond
#endif

}  // namespace homolog::inline v0_1
