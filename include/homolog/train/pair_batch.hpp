// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// From the tokens of some pictures to the similarity maps of the pairs between them.

#include <torch/types.h>

#include <cstddef>
#include <vector>

#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/points.hpp"
#include "homolog/kernels/sample.hpp"
#include "homolog/train/losses.hpp"

namespace homolog::inline v0_1 {

/// Pairs whose pictures' inputs have one size, as the tuned blocks see them.
struct PairBatch {
  /// One pair: its pictures and keypoints, one target keypoint for each source keypoint.
  struct Item {
    std::size_t source = 0;          ///< row of `tokens`
    std::size_t target = 0;          ///< row of `tokens`
    Points<GridFrame> source_cells;  ///< [N,2] cells of the source grid, fractional
    Points<GridFrame> target_cells;  ///< [N,2] cells of the target grid, fractional: the truth
  };
  torch::Tensor tokens;            ///< [M,T,D] entering the first tuned block, one row a picture
  Size input;                      ///< [px]
  std::vector<CellRange> content;  ///< [M] cells that show the picture
  std::vector<Item> pairs;         ///< may differ in their number of keypoints

  /// Number of keypoints of all pairs.
  std::size_t points() const {
    std::size_t sum = 0;
    for (const Item& pair : pairs) sum += pair.source_cells.size();
    return sum;
  }
};

/// Similarity maps and truth of a batch's pairs.
///
/// @param patch_tokens [M,rows*cols,D] features of the batch's pictures, any floating dtype;
///   cosines are computed in float32 at least, outside autocast
/// @return on the device of `patch_tokens`; differentiable
/// @throws ShapeError when the batch holds no pair or a pair's two lists differ in length
CorrespondenceBatch correspondences(const torch::Tensor& patch_tokens, int rows, int cols,
                                    const PairBatch& batch, Query query);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/train/detail/pair_batch_inl.hpp"
#endif
