// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The stock backbones and pipelines, compiled once into the static library homolog::compiled
/// (CMake option HOMOLOG_COMPILED): this header knows no LibTorch, and what includes it compiles in
/// seconds. Opt-in; matchers, metrics and backbones of one's own compose with it as ever.

#include <filesystem>
#include <string>

#include "homolog/backbones/any_backbone.hpp"
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

/// What load_backbone() sets up.
struct LoadSetting {
  std::string variant;         ///< "dinov2_vitb14"; empty takes what the weights are recognised as
  int layer = -1;              ///< 0-based block whose output is used; -1 is the last
  bool final_norm = true;      ///< the model's last LayerNorm on that output
  std::string device = "cpu";  ///< as LibTorch writes it: "cpu", "cuda", "cuda:1"
  std::string dtype = "float32";  ///< or "bfloat16", "float16"
};

/// The DINOv2, DINOv3, SAM or plain ViT backbone whose weights a file holds.
///
/// Defined in the library homolog::compiled.
///
/// @throws FileError, WeightsError as the backbones' load(); SettingError for a layer, device or
/// dtype that does not exist; DeviceError for one that cannot be used
AnyBackbone load_backbone(const std::filesystem::path& weights, const LoadSetting& setting = {});

/// The pipelines whose code lies in homolog::compiled: declared by everyone, defined there.
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
