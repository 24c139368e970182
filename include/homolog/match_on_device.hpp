// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Matching where the features are: they stay tensors on the backbone's device, and the matcher's
/// tensor path decodes them there. Points travel to the device and answers travel back, features do
/// not. The same code runs on the CPU.
///
/// match() and match_dense() of pictures copy the features to the host instead, where every matcher
/// runs. The answers differ by rounding: sums are made in another order, and where LibTorch's TF32
/// is on, products have 10 bits.
///
/// @code
/// const auto maps = homolog::tensor_features(backbone, pictures);
/// const auto found = homolog::match(maps[0], maps[1], {{120, 80}, {64, 100}});
/// @endcode

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "homolog/backbones/torch_boundary.hpp"
#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/points.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/features/from_backbone.hpp"
#include "homolog/images/image.hpp"
#include "homolog/kernels/sample.hpp"
#include "homolog/match.hpp"
#include "homolog/match_dense.hpp"
#include "homolog/matchers/tensor/decode.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"

namespace homolog::inline v0_1 {

/// A picture's features as a tensor, with the transform between its pixels and their grid.
struct TensorFeatures {
  torch::Tensor map;         ///< [rows, cols, D] floating, L2-normalised, on any device
  FrameTransform transform;  ///< picture [px] <-> grid [cells]
};

/// Features of pictures whose inputs have one size, in one call of the transformer, on the device
/// of its weights; float32 whatever the dtype of the weights, or float64.
///
/// @param images at least one
/// @return maps that share one tensor's memory: clone() one that is to outlive the others
/// @throws ShapeError when the input sizes differ; SettingError when the backbone would take more
/// memory than there is, or holds no weights; DeviceError when LibTorch fails
std::vector<TensorFeatures> tensor_features(const TransformerBackbone& backbone,
                                            std::span<const ImageView> images,
                                            const PipelineSetting& setting = {});

/// The same of one picture.
TensorFeatures tensor_features(const TransformerBackbone& backbone, const ImageView& image,
                               const PipelineSetting& setting = {});

namespace detail {

/// Descriptors [N,D] of cells, as sample_descriptors() reads them on the host.
///
/// @throws ShapeError when map and transform do not fit each other, PointError naming the first
/// cell that is not finite
torch::Tensor sample_cells(const TensorFeatures& features, const Points<GridFrame>& cells,
                           Query query);

/// Cosine similarity of descriptors [N,D] with the target's cells.
///
/// @return [N, rows, cols] on the target's device, -infinity at padding and where it is not finite
/// @throws ShapeError when the target's map does not fit its transform or D differs, DeviceError
/// when the descriptors lie on another device
torch::Tensor tensor_similarity(const torch::Tensor& descriptors, const TensorFeatures& target);

/// Appends cells [N,2] that a matcher gave for `similarity`, as points inside the target picture.
///
/// @throws ValueError naming the first query without any finite similarity
/// @note synchronises the device, once
void append_answers(MatchResult& result, const torch::Tensor& cells,
                    const torch::Tensor& similarity, const FrameTransform& target, bool margin);

/// Answers to queries in cells of the source grid, in blocks of at most 2^24 similarities.
template <class M>
MatchResult match_cells(const TensorFeatures& source, const TensorFeatures& target,
                        const Points<GridFrame>& queries, const M& matcher,
                        const PipelineSetting& setting) {
  static_assert(!ProblemMatcher<M>,
                "homolog: this Matcher reads both feature maps, which only the host has for it");
  return at_torch_boundary("match on a device", [&] {
    const at::NoGradGuard no_gradients;
    const torch::Tensor descriptors = sample_cells(source, queries, setting.query);
    const auto& grid = target.transform.grid;
    const std::int64_t cells = (std::max)(std::int64_t{grid.rows} * grid.cols, std::int64_t{1});
    const std::int64_t block = (std::max)((std::int64_t{1} << 24) / cells, std::int64_t{1});
    MatchResult result;
    for (const torch::Tensor& some : descriptors.split(block)) {
      const torch::Tensor similarity = tensor_similarity(some, target);
      append_answers(result, decode_cells(matcher, similarity), similarity, target.transform,
                     setting.margin);
    }
    return result;
  });
}

}  // namespace detail

/// Finds the source keypoints in the target, on the device of the features.
///
/// @param points [N,2] pixels of the source picture, N >= 1, as require_inside() takes them
/// @param matcher a Matcher with a tensor path
/// @param setting its query and margin count; features are made already, and `threads` are
/// LibTorch's
/// @return [N,2] pixels of the target picture, never outside its edges, with scores
/// @throws PointError for bad keypoints, ShapeError when the maps do not fit, DeviceError when they
/// lie on two devices or LibTorch fails, ValueError for an answer that is not finite
/// @note synchronises the device
template <class M = WindowSoftArgmax>
MatchResult match(const TensorFeatures& source, const TensorFeatures& target,
                  const Points<ImageFrame>& points, const M& matcher = {},
                  const PipelineSetting& setting = {}) {
  require_tensor_matcher<M>();
  require_inside(points, source.transform.image.image);
  return detail::match_cells(source, target, source.transform.to_grid(points), matcher, setting);
}

/// Finds every patch or pixel of the source in the target, on the device of the features; see
/// match() above, and match_dense() of the host for the points.
template <class M = WindowSoftArgmax>
DenseMatches match_dense(const TensorFeatures& source, const TensorFeatures& target,
                         const DenseSetting& dense = {}, const M& matcher = {},
                         const PipelineSetting& setting = {}) {
  require_tensor_matcher<M>();
  const CellRange shown = content_cells(source.transform.image, source.transform.grid.patch);
  return detail::match_lattice(
      source.transform, shown, dense, [&](const Points<GridFrame>& queries) {
        return detail::match_cells(source, target, queries, matcher, setting);
      });
}

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/detail/match_on_device_inl.hpp"
#endif
