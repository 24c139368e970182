// SPDX-License-Identifier: Apache-2.0
#pragma once

// One of every public type of homolog::core that owns memory, and what a source does with them.
#include <homolog/backbones/any_backbone.hpp>
#include <homolog/backbones/synthetic.hpp>
#include <homolog/features/feature_store.hpp>
#include <homolog/kernels/bfloat16_scan.hpp>
#include <homolog/kernels/mutual_peaks.hpp>
#include <homolog/kernels/upsampled_peak.hpp>
#include <homolog/matchers/kernel_soft_argmax.hpp>
#include <homolog/pipeline/pipeline.hpp>
#include <memory>
#include <vector>

struct Everything {
  homolog::FloatMatrix matrix;
  homolog::AlignedFloats floats;
  homolog::FeatureMap map;
  std::vector<homolog::FeatureMap> maps;
  homolog::Image image;
  homolog::InputBatch input;
  homolog::ByteBatch bytes;
  homolog::Points<homolog::GridFrame> cells;
  homolog::ImageFeatures features;
  homolog::MatchResult result;
  homolog::KernelWorkspace workspace;
  homolog::UpsampledNorms norms;
  homolog::Bfloat16Map rounded;
  homolog::MutualPeaks peaks;
  homolog::AnyBackbone backbone;
  homolog::Pipeline<homolog::SyntheticBackbone, homolog::KernelSoftArgmax> pipeline;
  std::unique_ptr<homolog::FeatureStore> store;
  std::size_t stored = 0;  // maps in it
};

// Both sides are compiled from one source with different flags.
#define DECLARE_SIDE(name)                                        \
  namespace name {                                                \
  std::unique_ptr<Everything> make();                             \
  void change(Everything& all); /* resizes, replaces and moves */ \
  double sum(const Everything& all);                              \
  Everything by_value(Everything all);                            \
  void destroy(std::unique_ptr<Everything> all);                  \
  }
DECLARE_SIDE(first)
DECLARE_SIDE(second)
