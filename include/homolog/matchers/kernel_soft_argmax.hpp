// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Soft-argmax over the whole map after a Gaussian around the peak has damped the rest.

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/matchers/detail/expectation.hpp"

namespace homolog {

/// Answers with the expected position under softmax(temperature * similarity * g) over all cells,
/// where g = exp(-d^2 / (2 sigma^2)) and d is the distance in cells from the most similar one.
///
/// The form of SFNet (Lee et al., CVPR 2019) on cosines. The Gaussian draws far similarities to 0,
/// not to -infinity: with a small temperature far cells still weigh in. Cells whose similarity is
/// not finite (padding, NaN) have probability zero.
struct KernelSoftArgmax {
  struct Setting {
    float sigma = 7;         ///< [cells]
    float temperature = 25;  ///< multiplies the cosine; published codes divide by T = 0.04
  };
  Setting setting;

  /// @throws ValueError when no value of `map` is finite; SettingError for a sigma or temperature
  /// that is not positive and finite
  Match operator()(const SimilarityMap& map) const {
    detail::require_positive(setting.sigma, "KernelSoftArgmax: sigma");
    detail::require_positive(setting.temperature, "KernelSoftArgmax: temperature");
    const Peak peak = find_peak(map);
    // The Gaussian of a sum of squares is the product of one factor a row and one a column.
    const Eigen::ArrayXf along_y = gaussian(map.rows(), peak.row);
    const Eigen::ArrayXf along_x = gaussian(map.cols(), peak.col);
    const auto damped = [&](Eigen::Index row, Eigen::Index col) {
      return map(row, col) * (along_y[row] * along_x[col]);
    };

    // Damping lifts negative similarities, so the maximum need not stand at the peak any more.
    float maximum = -std::numeric_limits<float>::infinity();
    for (Eigen::Index row = 0; row < map.rows(); ++row) {
      for (Eigen::Index col = 0; col < map.cols(); ++col) {
        if (std::isfinite(map(row, col))) maximum = std::max(maximum, damped(row, col));
      }
    }
    detail::Expectation expectation;
    for (Eigen::Index row = 0; row < map.rows(); ++row) {
      for (Eigen::Index col = 0; col < map.cols(); ++col) {
        if (!std::isfinite(map(row, col))) continue;  // 0 * infinity would be NaN far away
        expectation.add(row, col,
                        detail::softmax_weight(damped(row, col), maximum, setting.temperature));
      }
    }
    return {expectation.mean(), peak.value};
  }

 private:
  Eigen::ArrayXf gaussian(Eigen::Index count, Eigen::Index centre) const {
    const Eigen::ArrayXf offset =
        (Eigen::ArrayXf::LinSpaced(count, 0, static_cast<float>(count - 1)) -
         static_cast<float>(centre)) /
        setting.sigma;
    return (-0.5F * offset.square()).exp();
  }
};

}  // namespace homolog
