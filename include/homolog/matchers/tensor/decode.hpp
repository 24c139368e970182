// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The tensor path of each matcher: the same answers as its call operator, on any device, and with
/// gradients where the answer has any.
///
/// For all matchers, the argument is [..., rows, cols] cosine similarity in any floating dtype;
/// cells that are not finite have probability zero. The result is [..., 2] column and row, in
/// float32 at least whatever the autocast dtype, and NaN where a map has no finite cell. The
/// gradient treats the position of the most similar cell as a constant. All throw ShapeError for an
/// argument of another form and SettingError as the call operators do, and none synchronises a
/// device.

#include <torch/types.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "homolog/core/errors.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/tensor/detail/precision.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"

namespace homolog::inline v0_1 {

namespace detail {

inline void require_maps(const torch::Tensor& similarity, const char* what) {
  if (similarity.dim() < 2 || similarity.size(-1) < 1 || similarity.size(-2) < 1 ||
      !similarity.is_floating_point()) {
    throw ShapeError(text(what, ": expected floating [..., rows, cols], got ",
                          c10::toString(similarity.scalar_type()), " ",
                          shape_text(similarity.sizes())));
  }
}

/// exp(-square / (2 sigma^2)) of squared distances, infinite ones too. The factor is neither zero
/// nor infinite: the product with an infinite distance or with that of the centre would be NaN.
inline torch::Tensor gaussian(const torch::Tensor& square, double sigma) {
  return at::exp(square * -std::clamp(0.5 / (sigma * sigma), 1e-30, 1e30));
}

/// Column and row of each cell, [cols] and [rows].
inline std::pair<torch::Tensor, torch::Tensor> cell_axes(const torch::Tensor& similarity) {
  const auto options = similarity.options().requires_grad(false);
  return {torch::arange(similarity.size(-1), options), torch::arange(similarity.size(-2), options)};
}

/// Cells without a finite similarity (padding, NaN) get probability zero and no gradient.
inline torch::Tensor only_finite(const torch::Tensor& similarity) {
  return similarity.masked_fill(at::logical_not(at::isfinite(similarity.detach())),
                                -std::numeric_limits<double>::infinity());
}

/// Mean cell under a softmax of `logits` [..., rows, cols].
inline torch::Tensor expected_cell(const torch::Tensor& logits) {
  const auto [xs, ys] = cell_axes(logits);
  const auto probability = at::softmax(logits.flatten(-2), -1).view(logits.sizes());
  return at::stack({(probability.sum(-2) * xs).sum(-1), (probability.sum(-1) * ys).sum(-1)}, -1);
}

/// Distance in columns and in rows from the most similar cell, [..., 1, cols] and [..., rows, 1].
inline std::pair<torch::Tensor, torch::Tensor> offsets_from_peak(const torch::Tensor& similarity) {
  const auto [xs, ys] = cell_axes(similarity);
  const auto peak = at::argmax(similarity.detach().flatten(-2), -1).unsqueeze(-1);
  const auto cols = similarity.size(-1);
  const auto x = at::remainder(peak, cols), y = at::floor_divide(peak, cols);
  return {(xs - x).unsqueeze(-2), (ys - y).unsqueeze(-1)};
}

}  // namespace detail

/// The centre of the most similar cell (equation 2), which has no gradient.
inline at::Tensor Argmax::decode(const at::Tensor& similarity) const {
  detail::require_maps(similarity, "Argmax");
  const auto map = detail::only_finite(detail::full_precision(similarity.detach()));
  const auto place = at::argmax(map.flatten(-2), -1);  // the first of equal values, unlike at::max
  const auto nowhere = at::isinf(at::amax(map, {-2, -1})).unsqueeze(-1);
  const auto cols = map.size(-1);
  const auto cells = at::stack({at::remainder(place, cols), at::floor_divide(place, cols)}, -1);
  return cells.to(map.scalar_type()).masked_fill(nowhere, std::numeric_limits<double>::quiet_NaN());
}

/// The mean cell under softmax(temperature * similarity) over the whole map (equations 6 and 7).
inline at::Tensor SoftArgmax::decode(const at::Tensor& similarity) const {
  detail::require_maps(similarity, "SoftArgmax");
  require_fields(setting, "SoftArgmax");
  const detail::FullPrecisionScope scope(similarity);
  return detail::expected_cell(detail::only_finite(detail::full_precision(similarity)) *
                               setting.temperature);
}

/// The same within the window around the most similar cell (equations 9 to 12).
inline at::Tensor WindowSoftArgmax::decode(const at::Tensor& similarity) const {
  detail::require_maps(similarity, "WindowSoftArgmax");
  require_fields(setting, "WindowSoftArgmax");
  const detail::FullPrecisionScope scope(similarity);
  const auto map = detail::only_finite(detail::full_precision(similarity));
  const auto [dx, dy] = detail::offsets_from_peak(map);
  auto outside = at::logical_or(dx.abs() > setting.window_radius, dy.abs() > setting.window_radius);
  const bool count = setting.outside == Outside::masked_zero;
  if (count) outside = at::logical_and(outside, at::isfinite(map.detach()));
  const double there = count ? 0 : -std::numeric_limits<double>::infinity();
  return detail::expected_cell(map.masked_fill(outside, there) * setting.temperature);
}

/// The mean cell under softmax(temperature * similarity * g), g a Gaussian around the most similar
/// one.
inline at::Tensor KernelSoftArgmax::decode(const at::Tensor& similarity) const {
  detail::require_maps(similarity, "KernelSoftArgmax");
  require_fields(setting, "KernelSoftArgmax");
  const detail::FullPrecisionScope scope(similarity);
  const auto map = detail::full_precision(similarity);
  const auto finite = at::isfinite(map.detach());
  const auto [dx, dy] = detail::offsets_from_peak(detail::only_finite(map));
  const auto gaussian =
      detail::gaussian(dx.square() + dy.square(), static_cast<double>(setting.sigma));
  // Cells that are not finite are set to zero first: infinity times a Gaussian of zero would be
  // NaN, in the gradient too.
  const auto damped = map.masked_fill(at::logical_not(finite), 0) * gaussian;
  return detail::expected_cell(
      damped.masked_fill(at::logical_not(finite), -std::numeric_limits<double>::infinity()) *
      setting.temperature);
}

namespace detail {

/// The cells that any matcher answers for similarity maps.
///
/// @param similarity [N, rows, cols], whose cells without a finite value the matcher sees as
///   -infinity
/// @return [N,2]
/// @throws ShapeError when the matcher answers with another shape
template <class M>
at::Tensor decode_cells(const M& matcher, const at::Tensor& similarity) {
  require_tensor_matcher<M>();
  at::Tensor cells = matcher.decode(only_finite(similarity));
  if (cells.dim() != 2 || cells.size(0) != similarity.size(0) || cells.size(1) != 2 ||
      !cells.is_floating_point()) {
    throw ShapeError(text("decode: expected floating [", similarity.size(0), ", 2] for maps ",
                          shape_text(similarity.sizes()), ", the matcher gave ",
                          c10::toString(cells.scalar_type()), " ", shape_text(cells.sizes())));
  }
  return cells;
}

}  // namespace detail
}  // namespace homolog::inline v0_1
