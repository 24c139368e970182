// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Soft-argmax over the whole map after a Gaussian around the peak has damped the rest.

#include <Eigen/Core>
#include <cmath>
#include <string_view>
#include <tuple>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/field.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/kernels/softmax.hpp"

namespace homolog::inline v0_1 {

/// Answers with the expected position under softmax(temperature * similarity * g) over all cells,
/// where g = exp(-d^2 / (2 sigma^2)) and d is the distance in cells from the most similar one.
///
/// The form of SFNet (Lee et al., CVPR 2019) on cosines. The Gaussian pulls similarities far from
/// the peak to 0, not to -infinity: with a small temperature far cells still contribute. Cells
/// whose similarity is not finite (padding, NaN) have probability zero.
struct KernelSoftArgmax {
  /// The name that from_name() takes for this matcher.
  static constexpr std::string_view name = "kernel-soft-argmax";
  /// What a user may change: how wide the Gaussian is and how sharp the softmax.
  struct Setting {
    float sigma = 7;         ///< [cells] of the Gaussian around the peak, > 0
    float temperature = 25;  ///< multiplies the cosine; published codes divide by T = 0.04

    /// The fields, for checks, JSON, options and tables.
    static constexpr auto fields() {
      return std::tuple(
          Field{"temperature", &Setting::temperature,
                "multiplies the cosine; published codes divide by 0.04", Allowed::positive},
          Field{"sigma", &Setting::sigma, "width in cells of the Gaussian around the peak",
                Allowed::positive});
    }
  };
  Setting setting;  ///< as default-constructed unless changed

  /// @throws ValueError when no value of `map` is finite; SettingError for a sigma or temperature
  /// that is not positive and finite
  Match operator()(const SimilarityMap& map, const Execution& execution = {}) const {
    require_fields(setting, "KernelSoftArgmax");
    const Peak peak = find_peak(map, execution);
    // The Gaussian of a sum of squares is the product of one factor a row and one a column.
    const FloatMatrix along_y = gaussian(map.rows(), peak.row);
    const FloatMatrix along_x = gaussian(map.cols(), peak.col);
    FloatMatrix& damped = execution.memory().room(1)->scratch;
    damped.resize(map.rows(), map.cols());
    for (Eigen::Index row = 0; row < map.rows(); ++row) {
      damped.row(row).array() = map.row(row).array() * (along_y(0, row) * along_x.row(0).array());
    }
    // Values that were not finite are still not finite. Damping raises negative similarities
    // towards 0, so the maximum may no longer be at the peak.
    const float maximum = largest_finite(damped, execution);
    return {softmax_sums(damped, maximum, setting.temperature, execution).mean(), peak.value};
  }

  /// [..., rows, cols] -> [..., 2]: the same on tensors, see matchers/tensor/decode.hpp, which
  /// defines it.
  inline at::Tensor decode(const at::Tensor& similarity) const;

 private:
  /// [1,count]; not an Eigen::Array, whose memory would depend on the compiler's flags.
  FloatMatrix gaussian(Eigen::Index count, Eigen::Index centre) const {
    FloatMatrix factors;
    factors.resize(1, count);
    for (Eigen::Index i = 0; i < count; ++i) {
      const float offset = static_cast<float>(i - centre) / setting.sigma;
      factors(0, i) = std::exp(-0.5F * offset * offset);
    }
    return factors;
  }
};

}  // namespace homolog::inline v0_1
