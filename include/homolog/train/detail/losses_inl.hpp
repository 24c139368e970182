// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of train/losses.hpp.

#include <torch/types.h>

#include <cstdint>
#include <limits>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/matchers/tensor/decode.hpp"
#include "homolog/matchers/tensor/detail/precision.hpp"
#include "homolog/train/losses.hpp"

namespace homolog::inline v0_1 {

namespace detail {

HOMOLOG_INLINE void require_batch(const CorrespondenceBatch& batch, const char* what) {
  const auto& [similarity, truth, valid] = batch;
  require_maps(similarity, what);
  if (similarity.dim() != 4 || truth.dim() != 3 || truth.size(2) != 2 || valid.dim() != 2 ||
      valid.scalar_type() != torch::kBool || truth.sizes().slice(0, 2) != valid.sizes() ||
      similarity.sizes().slice(0, 2) != valid.sizes()) {
    throw ShapeError(text(what, ": expected similarity [B,N,rows,cols], truth [B,N,2] and Bool ",
                          "valid [B,N], got ", shape_text(similarity.sizes()), ", ",
                          shape_text(truth.sizes()), " and ", c10::toString(valid.scalar_type()),
                          " ", shape_text(valid.sizes())));
  }
}

HOMOLOG_INLINE CorrespondenceBatch without_padding(const CorrespondenceBatch& batch) {
  const auto padded = at::logical_not(batch.valid);
  return {full_precision(batch.similarity).masked_fill(padded.unsqueeze(-1).unsqueeze(-1), 0),
          batch.truth.to(full_precision(batch.similarity).scalar_type())
              .masked_fill(padded.unsqueeze(-1), 0),
          batch.valid};
}

HOMOLOG_INLINE torch::Tensor squared_distance(const CorrespondenceBatch& batch) {
  const auto [xs, ys] = cell_axes(batch.similarity);
  const auto dx = xs - batch.truth.select(2, 0).unsqueeze(-1);
  const auto dy = ys - batch.truth.select(2, 1).unsqueeze(-1);
  const auto square = (dy.square().unsqueeze(-1) + dx.square().unsqueeze(-2)).flatten(2);
  return square.masked_fill(at::logical_not(at::isfinite(batch.similarity.detach().flatten(2))),
                            std::numeric_limits<double>::infinity());
}

}  // namespace detail

HOMOLOG_INLINE torch::Tensor mean_loss(const torch::Tensor& loss, const torch::Tensor& valid) {
  detail::require_one_loss_a_keypoint(loss, valid, "mean_loss");
  const auto count = valid.sum().item<std::int64_t>();
  if (count == 0) throw ValueError("mean_loss: no keypoint is valid");
  return detail::zero_where_padded(loss, valid).sum() / static_cast<double>(count);
}

}  // namespace homolog::inline v0_1
