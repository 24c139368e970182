// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of train/pair_batch.hpp.

#include <torch/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/points.hpp"
#include "homolog/kernels/sample.hpp"
#include "homolog/matchers/tensor/detail/precision.hpp"
#include "homolog/matchers/tensor/detail/sampling.hpp"
#include "homolog/train/losses.hpp"
#include "homolog/train/pair_batch.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE CorrespondenceBatch correspondences(const torch::Tensor& patch_tokens, int rows,
                                                   int cols, const PairBatch& batch, Query query) {
  std::size_t longest = 0;
  for (const auto& pair : batch.pairs) {
    if (pair.source_cells.size() != pair.target_cells.size()) {
      throw ShapeError(detail::text("correspondences: ", pair.source_cells.size(), " source and ",
                                    pair.target_cells.size(), " target keypoints"));
    }
    longest = (std::max)(longest, pair.source_cells.size());
  }
  if (longest == 0) throw ShapeError("correspondences: no pair with keypoints was given");
  const auto count = static_cast<std::int64_t>(batch.pairs.size());
  const auto points = static_cast<std::int64_t>(longest);
  const std::int64_t corners = query == Query::nearest ? 1 : 4;
  const std::int64_t cells = std::int64_t{rows} * cols;

  auto index = torch::zeros({count, points, corners}, torch::kInt64);
  auto weight = torch::zeros({count, points, corners}, torch::kFloat64);
  auto truth = torch::zeros({count, points, 2}, torch::kFloat64);
  auto valid = torch::zeros({count, points}, torch::kBool);
  auto target = torch::zeros({count}, torch::kInt64);
  auto outside = torch::zeros({count, 1, rows, cols}, torch::kBool);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto& pair = batch.pairs[static_cast<std::size_t>(i)];
    target.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(pair.target);
    for (std::size_t n = 0; n < pair.source_cells.size(); ++n) {
      const auto at = i * points + static_cast<std::int64_t>(n);
      detail::add_query(pair.source_cells[n], batch.content[pair.source], cols,
                        static_cast<std::int64_t>(pair.source) * cells, query,
                        index.data_ptr<std::int64_t>() + at * corners,
                        weight.data_ptr<double>() + at * corners);
      truth.data_ptr<double>()[2 * at] = pair.target_cells[n].x;
      truth.data_ptr<double>()[2 * at + 1] = pair.target_cells[n].y;
      valid.data_ptr<bool>()[at] = true;
    }
    const CellRange& content = batch.content[pair.target];
    auto map = outside[i][0];
    map.fill_(true);
    map.slice(0, content.y1, content.y2).slice(1, content.x1, content.x2).fill_(false);
  }

  const detail::FullPrecisionScope scope(patch_tokens);
  const auto features = detail::l2_normalized(detail::full_precision(patch_tokens));
  const auto device = features.device();
  const auto read = features.flatten(0, 1)
                        .index_select(0, index.flatten().to(device))
                        .view({count, points, corners, features.size(2)});
  auto queries = (read * weight.to(features.options().requires_grad(false)).unsqueeze(-1)).sum(2);
  if (query == Query::bilinear) queries = detail::l2_normalized(queries);
  const auto targets = features.index_select(0, target.to(device));
  const auto similarity =
      at::bmm(queries, targets.transpose(1, 2))
          .view({count, points, rows, cols})
          .masked_fill(outside.to(device), -std::numeric_limits<double>::infinity());
  return {similarity, truth.to(features.options().requires_grad(false)), valid.to(device)};
}

}  // namespace homolog::inline v0_1
