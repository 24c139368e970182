// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Losses of keypoint correspondence on similarity maps. Each is a plain struct with a Setting, and
/// computes in float32 (float64 stays) whatever the autocast dtype.

#include <torch/types.h>

#include <concepts>
#include <limits>
#include <string_view>
#include <tuple>

#include "homolog/core/errors.hpp"
#include "homolog/core/field.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/tensor/decode.hpp"
#include "homolog/matchers/tensor/detail/precision.hpp"

namespace homolog::inline v0_1 {

/// The similarity maps of one step. Pairs with fewer keypoints than the largest are padded; values
/// in padded places never influence a loss or a gradient.
struct CorrespondenceBatch {
  torch::Tensor similarity;  ///< [B,N,rows,cols] cosine; -infinity on cells without picture
  torch::Tensor truth;       ///< [B,N,2] x, y in cells of the target grid, fractional
  torch::Tensor valid;       ///< [B,N] bool, false where padded
};

/// A loss needs at least its call operator:
/// @code
/// struct MyLoss {
///   torch::Tensor operator()(const homolog::CorrespondenceBatch& batch) const;
/// };
/// @endcode
/// Returns [B,N], one value a keypoint; the trainer takes the mean over the valid ones and ignores
/// the values of padded places. The losses below are NaN for a valid keypoint whose map has no
/// finite cell.
template <class L>
concept CorrespondenceLoss = requires(const L& loss, const CorrespondenceBatch& batch) {
  { loss(batch) } -> std::convertible_to<torch::Tensor>;
};

namespace detail {

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

void require_batch(const CorrespondenceBatch& batch, const char* what);

/// A batch in full precision whose padded places hold harmless values, so that NaN there cannot
/// come back as 0 * NaN in a gradient.
CorrespondenceBatch without_padding(const CorrespondenceBatch& batch);

inline void require_one_loss_a_keypoint(const torch::Tensor& loss, const torch::Tensor& valid,
                                        const char* what) {
  if (loss.sizes() == valid.sizes()) return;
  throw ShapeError(text(what, ": expected a loss ", shape_text(valid.sizes()),
                        ", one value a keypoint, got ", shape_text(loss.sizes())));
}

inline torch::Tensor zero_where_padded(const torch::Tensor& loss, const torch::Tensor& valid) {
  return at::where(valid, loss, at::zeros_like(loss));
}

/// Log-probabilities of all cells, [B,N,rows*cols]; -infinity on cells without picture.
inline torch::Tensor log_probability(const torch::Tensor& similarity, double temperature) {
  return at::log_softmax(only_finite(similarity).flatten(2) * temperature, -1);
}

/// Squared distance of each cell from the truth, [B,N,rows*cols]; infinite without picture.
torch::Tensor squared_distance(const CorrespondenceBatch& batch);

}  // namespace detail

/// Squared distance between a matcher's answer and the truth, in cells (equation 8 with
/// soft-argmax; the paper gives neither the frame nor beta).
///
/// Any matcher with a tensor path can be trained by the answers that it gives:
/// `CoordinateMse<MyMatcher>{mine}`.
template <class M = SoftArgmax>
struct CoordinateMse {
  /// The name that from_name() takes for this loss with the paper's matcher.
  static constexpr std::string_view name = "soft-argmax-mse";
  M matcher;  ///< with its setting, which it checks at every call

  /// @return [B,N] squared cells
  /// @throws ShapeError; SettingError for a matcher whose answer has no gradient, such as Argmax;
  /// what the matcher throws
  torch::Tensor operator()(const CorrespondenceBatch& batch) const {
    detail::require_batch(batch, "CoordinateMse");
    const detail::FullPrecisionScope scope(batch.similarity);
    const CorrespondenceBatch clean = detail::without_padding(batch);
    const auto predicted = detail::decode_cells(matcher, clean.similarity.flatten(0, 1));
    if (clean.similarity.requires_grad() && !predicted.requires_grad()) {
      throw SettingError(
          "CoordinateMse: the matcher's answer has no gradient, so nothing would be trained; take "
          "a soft one");
    }
    return detail::zero_where_padded(
        (predicted.reshape_as(clean.truth) - clean.truth).square().sum(-1), clean.valid);
  }
};

/// Cross-entropy between softmax(temperature * similarity) and a Gaussian around the truth, cut off
/// more than `radius` cells away from the cell nearest to the truth.
struct GaussianCrossEntropy {
  /// The name that from_name() takes for this loss.
  static constexpr std::string_view name = "gaussian-ce";
  /// What a user may change.
  struct Setting {
    double sigma = 1;               ///< [cells]
    int radius = 3;                 ///< [cells] 3 is a window of 7x7
    double temperature = 1 / 0.03;  ///< multiplies the cosine; published codes divide by T = 0.03

    /// The fields, for checks, JSON, options and tables.
    static constexpr auto fields() {
      return std::tuple(
          Field{"temperature", &Setting::temperature,
                "multiplies the cosine; published codes divide by 0.03", Allowed::positive},
          Field{"sigma", &Setting::sigma, "cells, width of the Gaussian around the truth",
                Allowed::positive},
          Field{"radius", &Setting::radius,
                "cells from the one nearest to the truth at which the Gaussian is cut off",
                Allowed::not_negative});
    }
  };
  Setting setting;  ///< read at every call, which checks it

  /// @return [B,N] nats
  /// @throws ShapeError, SettingError for a temperature or sigma that is not positive and finite or
  /// a negative radius
  torch::Tensor operator()(const CorrespondenceBatch& batch) const {
    detail::require_batch(batch, "GaussianCrossEntropy");
    detail::require_temperature(setting.temperature, "GaussianCrossEntropy");
    if (!detail::is_positive_float(setting.sigma) || setting.radius < 0) {
      throw SettingError(detail::text("GaussianCrossEntropy: sigma is ", setting.sigma,
                                      " and radius ", setting.radius,
                                      ", expected sigma > 0 and radius >= 0"));
    }
    const detail::FullPrecisionScope scope(batch.similarity);
    const CorrespondenceBatch clean = detail::without_padding(batch);
    const auto target = target_distribution(clean);
    const auto log_probability = detail::log_probability(clean.similarity, setting.temperature);
    const auto terms = at::where(target == 0, at::zeros_like(target), target * log_probability);
    return detail::zero_where_padded(-terms.sum(-1), clean.valid);
  }

 private:
  torch::Tensor target_distribution(const CorrespondenceBatch& batch) const {
    const auto square = detail::squared_distance(batch);
    const auto nearest = square.argmin(-1, /*keepdim=*/true);
    const auto cols = batch.similarity.size(-1);
    const auto cells = torch::arange(square.size(-1), nearest.options());
    const auto dx = (at::remainder(cells, cols) - at::remainder(nearest, cols)).abs();
    const auto dy = (at::floor_divide(cells, cols) - at::floor_divide(nearest, cols)).abs();
    const auto outside = at::logical_or(dx > setting.radius, dy > setting.radius);
    // Relative to the nearest cell, so that a small sigma cannot leave a sum of zeros.
    const auto relative = square - square.gather(-1, nearest);
    const auto weight = detail::gaussian(relative, setting.sigma).masked_fill(outside, 0);
    return weight / weight.sum(-1, /*keepdim=*/true);
  }
};

/// InfoNCE over the target's patches: the cell nearest to the truth against all others.
struct InfoNce {
  /// The name that from_name() takes for this loss.
  static constexpr std::string_view name = "info-nce";
  /// What a user may change.
  struct Setting {
    double temperature = 1 / 0.07;  ///< multiplies the cosine; published codes divide by 0.07

    /// The fields, for checks, JSON, options and tables.
    static constexpr auto fields() {
      return std::tuple(Field{"temperature", &Setting::temperature,
                              "multiplies the cosine; published codes divide by 0.07",
                              Allowed::positive});
    }
  };
  Setting setting;  ///< read at every call, which checks it

  /// @return [B,N] nats
  /// @throws ShapeError, SettingError for a temperature that is not positive and finite
  torch::Tensor operator()(const CorrespondenceBatch& batch) const {
    detail::require_batch(batch, "InfoNce");
    detail::require_temperature(setting.temperature, "InfoNce");
    const detail::FullPrecisionScope scope(batch.similarity);
    const CorrespondenceBatch clean = detail::without_padding(batch);
    const auto positive = detail::squared_distance(clean).argmin(-1, /*keepdim=*/true);
    const auto log_probability = detail::log_probability(clean.similarity, setting.temperature);
    return detail::zero_where_padded(-log_probability.gather(-1, positive).squeeze(-1),
                                     clean.valid);
  }
};

/// Mean over the valid keypoints (equation 8 over a step).
///
/// @param loss [B,N] as a loss gives it; what stands in padded places does not count
/// @throws ShapeError, ValueError when no keypoint is valid
torch::Tensor mean_loss(const torch::Tensor& loss, const torch::Tensor& valid);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/train/detail/losses_inl.hpp"
#endif
