// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of match_on_device.hpp.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "homolog/backbones/torch_boundary.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/points.hpp"
#include "homolog/features/from_backbone.hpp"
#include "homolog/kernels/detail/check.hpp"
#include "homolog/match_dense.hpp"
#include "homolog/match_on_device.hpp"
#include "homolog/matchers/tensor/detail/precision.hpp"
#include "homolog/matchers/tensor/detail/sampling.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// As normalize_rows(): the squares of large float32 are added up in float64.
inline torch::Tensor normalized_rows(const torch::Tensor& x) {
  const torch::Tensor norm =
      at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}, /*keepdim=*/true, at::kDouble);
  return (x / norm.clamp_min(1e-12)).to(x.scalar_type());
}

}  // namespace detail

HOMOLOG_INLINE std::vector<TensorFeatures> tensor_features(const TransformerBackbone& backbone,
                                                           std::span<const ImageView> images,
                                                           const PipelineSetting& setting) {
  const std::vector<FrameTransform> transforms =
      detail::batch_transforms(backbone, images, setting);
  const at::NoGradGuard no_gradients;
  const Features features =
      detail::in_one_batch(backbone, images, transforms, setting.filter,
                           [&](const auto& batch) { return backbone.features(batch); });
  return at_torch_boundary("tensor_features", [&] {
    const detail::FullPrecisionScope scope(features.patch_tokens);
    const torch::Tensor maps =
        detail::normalized_rows(detail::full_precision(features.patch_tokens))
            .view({-1, features.rows, features.cols, features.patch_tokens.size(2)});
    std::vector<TensorFeatures> result;
    for (std::size_t i = 0; i < transforms.size(); ++i) {
      result.push_back({maps[static_cast<std::int64_t>(i)], transforms[i]});
    }
    return result;
  });
}

HOMOLOG_INLINE TensorFeatures tensor_features(const TransformerBackbone& backbone,
                                              const ImageView& image,
                                              const PipelineSetting& setting) {
  return tensor_features(backbone, std::span(&image, 1), setting)[0];
}

namespace detail {

/// The cells of a map that show the picture.
///
/// @throws ShapeError when map and transform do not fit each other, or no cell shows the picture
inline CellRange shown_cells(const TensorFeatures& features, const char* which) {
  const torch::Tensor& map = features.map;
  const FrameTransform& transform = features.transform;
  const auto refusal = [&](const std::string& got) {
    return text("match on a device: the ", which, "'s features are ", got, ", expected floating [",
                transform.grid.rows, ", ", transform.grid.cols, ", D]");
  };
  if (!map.defined()) throw ShapeError(refusal("an undefined tensor"));
  if (map.dim() != 3 || map.size(0) != transform.grid.rows || map.size(1) != transform.grid.cols ||
      map.size(2) < 1 || !map.is_floating_point()) {
    throw ShapeError(refusal(text(c10::toString(map.scalar_type()), " ", shape_text(map.sizes()))));
  }
  FeatureMap grid;  // its shape alone
  grid.rows = transform.grid.rows;
  grid.cols = transform.grid.cols;
  grid.content = content_cells(transform.image, (std::max)(transform.grid.patch, 1));
  require_content(grid, "match on a device");
  return grid.content;
}

HOMOLOG_INLINE torch::Tensor sample_cells(const TensorFeatures& features,
                                          const Points<GridFrame>& cells, Query query) {
  const CellRange content = shown_cells(features, "source");
  const auto count = static_cast<std::int64_t>(cells.size());
  const std::int64_t corners = query == Query::nearest ? 1 : 4;
  const torch::Tensor rows = torch::zeros({count, corners}, torch::kInt64);
  const torch::Tensor weights = torch::zeros({count, corners}, torch::kFloat64);
  for (std::int64_t i = 0; i < count; ++i) {
    const Point<GridFrame> cell = cells[static_cast<std::size_t>(i)];
    if (!is_finite(cell)) {
      throw PointError(
          text("match on a device: query ", i, " (", cell.x, ", ", cell.y, ") is not finite"));
    }
    add_query(cell, content, features.transform.grid.cols, 0, query,
              rows.data_ptr<std::int64_t>() + i * corners,
              weights.data_ptr<double>() + i * corners);
  }
  const torch::Tensor map = full_precision(features.map);
  const torch::Tensor read = map.flatten(0, 1).index({rows.to(map.device())});  // [N,corners,D]
  if (query == Query::nearest) return read.squeeze(1);
  const torch::Tensor weight = weights.to(map.options()).unsqueeze(-1);
  // A neighbour of weight zero is not read: 0 * NaN would spoil an exact hit.
  return normalized_rows((read * weight).masked_fill(weight == 0, 0).sum(1));
}

HOMOLOG_INLINE torch::Tensor tensor_similarity(const torch::Tensor& descriptors,
                                               const TensorFeatures& target) {
  const CellRange shown = shown_cells(target, "target");
  if (descriptors.size(1) != target.map.size(2)) {
    throw ShapeError(text("match on a device: the source's features have ", descriptors.size(1),
                          " floats, the target's ", target.map.size(2)));
  }
  if (descriptors.device() != target.map.device()) {
    throw DeviceError(text("match on a device: the source's features are on ",
                           descriptors.device().str(), ", the target's on ",
                           target.map.device().str()));
  }
  const auto& grid = target.transform.grid;
  const FullPrecisionScope scope(target.map);
  const torch::Tensor map = full_precision(target.map).flatten(0, 1);
  const auto dtype = at::promote_types(descriptors.scalar_type(), map.scalar_type());
  torch::Tensor similarity = only_finite(
      at::matmul(descriptors.to(dtype), map.to(dtype).t()).view({-1, grid.rows, grid.cols}));
  if (shown == CellRange{0, 0, grid.cols, grid.rows}) return similarity;
  const torch::Tensor padding = torch::ones({grid.rows, grid.cols}, torch::kBool);
  padding.slice(0, shown.y1, shown.y2).slice(1, shown.x1, shown.x2).fill_(false);
  return similarity.masked_fill(padding.to(similarity.device()),
                                -std::numeric_limits<double>::infinity());
}

HOMOLOG_INLINE void append_answers(MatchResult& result, const torch::Tensor& cells,
                                   const torch::Tensor& similarity, const FrameTransform& target,
                                   bool margin) {
  // Column and row, the peak's similarity, and that of the second best cell where it is wanted.
  const torch::Tensor maps = similarity.flatten(1);
  const std::int64_t best = margin ? std::min<std::int64_t>(2, maps.size(1)) : 1;
  const torch::Tensor peaks =
      best == 1 ? at::amax(maps, {1}, /*keepdim=*/true) : std::get<0>(at::topk(maps, best, 1));
  const torch::Tensor answers =
      at::cat({cells.to(at::kDouble), peaks.to(at::kDouble)}, 1).to(at::kCPU).contiguous();
  const double* row = answers.const_data_ptr<double>();
  std::vector<Match> matches;
  std::vector<float> margins;
  for (std::int64_t i = 0; i < answers.size(0); ++i, row += answers.size(1)) {
    if (!std::isfinite(row[2])) {
      throw ValueError(text("query ", result.points.size() + static_cast<std::size_t>(i),
                            ": no similarity with the target is finite; the query's feature, or "
                            "every feature of the target, holds NaN or infinity"));
    }
    matches.push_back({{row[0], row[1]}, static_cast<float>(row[2])});
    if (!margin) continue;
    margins.push_back(best == 2 ? static_cast<float>(row[2]) - static_cast<float>(row[3])
                                : std::numeric_limits<float>::infinity());
  }
  MatchResult more = to_image_points(matches, target);
  more.margins = std::move(margins);
  append(result, more);
}

}  // namespace detail
}  // namespace homolog::inline v0_1
