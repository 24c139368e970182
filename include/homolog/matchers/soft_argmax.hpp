// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Soft-argmax over the whole target map.

#include <Eigen/Core>

#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/matchers/detail/expectation.hpp"

namespace homolog {

/// Answers with the expected position under softmax(temperature * similarity) over all cells
/// (equations 6 and 7).
///
/// Cells whose similarity is not finite (padding, NaN) have probability zero.
struct SoftArgmax {
  struct Setting {
    /// beta, multiplies the cosine. The paper gives no value; 50 (T = 0.02 as a divisor) keeps the
    /// distribution of cosines from being near uniform.
    float temperature = 50;
  };
  Setting setting;

  /// @throws ValueError when no value of `map` is finite; SettingError for a temperature that is
  /// not positive and finite
  Match operator()(const SimilarityMap& map) const {
    detail::require_positive(setting.temperature, "SoftArgmax: temperature");
    const Peak peak = find_peak(map);
    detail::Expectation expectation;
    for (Eigen::Index row = 0; row < map.rows(); ++row) {
      for (Eigen::Index col = 0; col < map.cols(); ++col) {
        expectation.add(row, col,
                        detail::softmax_weight(map(row, col), peak.value, setting.temperature));
      }
    }
    return {expectation.mean(), peak.value};
  }
};

}  // namespace homolog
