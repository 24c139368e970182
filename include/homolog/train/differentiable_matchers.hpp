// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The soft matchers on tensors: the same answers as matchers/, on any device, with gradients.

#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "homolog/core/errors.hpp"
#include "homolog/train/detail/precision.hpp"

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

/// Settings enter float32 arithmetic, where one out of its range would make an answer of NaN.
inline bool is_positive_float(double value) {
  return value >= static_cast<double>((std::numeric_limits<float>::min)()) &&
         value <= static_cast<double>((std::numeric_limits<float>::max)());
}

inline void require_temperature(double temperature, const char* what) {
  if (is_positive_float(temperature)) return;
  throw SettingError(
      text(what, ": temperature is ", temperature, ", expected a positive finite float32 number"));
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

/// Mean cell under softmax(temperature * similarity) over the whole map (equations 6 and 7).
///
/// @param similarity [..., rows, cols] cosine; cells that are not finite have probability zero
/// @param temperature beta, multiplies the cosine
/// @return [..., 2] column and row, in float32 at least whatever the autocast dtype; NaN where a
/// map
///   has no finite cell
/// @throws ShapeError, SettingError for a temperature that is not positive and finite
inline torch::Tensor soft_argmax(const torch::Tensor& similarity, double temperature) {
  detail::require_maps(similarity, "soft_argmax");
  detail::require_temperature(temperature, "soft_argmax");
  const detail::FullPrecisionScope scope(similarity);
  return detail::expected_cell(detail::only_finite(detail::full_precision(similarity)) *
                               temperature);
}

/// The same within `radius` cells of the most similar one (equations 9 to 12); the window's place
/// is a constant to the gradient.
///
/// @see soft_argmax, WindowSoftArgmax
inline torch::Tensor window_soft_argmax(const torch::Tensor& similarity, int radius,
                                        double temperature) {
  detail::require_maps(similarity, "window_soft_argmax");
  detail::require_temperature(temperature, "window_soft_argmax");
  if (radius < 0) {
    throw SettingError(
        detail::text("window_soft_argmax: radius is ", radius, ", expected at least 0"));
  }
  const detail::FullPrecisionScope scope(similarity);
  const auto map = detail::only_finite(detail::full_precision(similarity));
  const auto [dx, dy] = detail::offsets_from_peak(map);
  const auto outside = at::logical_or(dx.abs() > radius, dy.abs() > radius);
  return detail::expected_cell(map.masked_fill(outside, -std::numeric_limits<double>::infinity()) *
                               temperature);
}

/// Mean cell under softmax(temperature * similarity * g), g a Gaussian of `sigma` cells around the
/// most similar one, whose place is a constant to the gradient.
///
/// @see soft_argmax, KernelSoftArgmax
inline torch::Tensor kernel_soft_argmax(const torch::Tensor& similarity, double sigma,
                                        double temperature) {
  detail::require_maps(similarity, "kernel_soft_argmax");
  detail::require_temperature(temperature, "kernel_soft_argmax");
  if (!detail::is_positive_float(sigma)) {
    throw SettingError(detail::text("kernel_soft_argmax: sigma is ", sigma,
                                    ", expected a positive finite float32 number"));
  }
  const detail::FullPrecisionScope scope(similarity);
  const auto map = detail::full_precision(similarity);
  const auto finite = at::isfinite(map.detach());
  const auto [dx, dy] = detail::offsets_from_peak(detail::only_finite(map));
  const auto gaussian = detail::gaussian(dx.square() + dy.square(), sigma);
  // Zero first: infinity times a Gaussian of zero would be NaN, in the gradient too.
  const auto damped = map.masked_fill(at::logical_not(finite), 0) * gaussian;
  return detail::expected_cell(
      damped.masked_fill(at::logical_not(finite), -std::numeric_limits<double>::infinity()) *
      temperature);
}

}  // namespace homolog::inline v0_1
