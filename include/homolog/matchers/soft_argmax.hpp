// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Soft-argmax over the whole target map.

#include <string_view>
#include <tuple>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/field.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/kernels/softmax.hpp"

namespace homolog::inline v0_1 {

/// Answers with the expected position under softmax(temperature * similarity) over all cells
/// (equations 6 and 7).
///
/// Cells whose similarity is not finite (padding, NaN) have probability zero.
struct SoftArgmax {
  /// The name that from_name() takes for this matcher.
  static constexpr std::string_view name = "soft-argmax";
  /// What a user may change: how sharp the softmax is.
  struct Setting {
    /// beta, multiplies the cosine. The paper gives no value; 50 (T = 0.02 as a divisor) keeps the
    /// distribution of cosines from being near uniform.
    float temperature = 50;

    /// The fields, for checks, JSON, options and tables.
    static constexpr auto fields() {
      return std::tuple(Field{"temperature", &Setting::temperature,
                              "multiplies the cosine; beta of the paper", Allowed::positive});
    }
  };
  Setting setting;  ///< as default-constructed unless changed

  /// @throws ValueError when no value of `map` is finite; SettingError for a temperature that is
  /// not positive and finite
  Match operator()(const SimilarityMap& map, const Execution& execution = {}) const {
    require_fields(setting, "SoftArgmax");
    const float largest = find_peak(map, execution).value;
    return {softmax_sums(map, largest, setting.temperature, execution).mean(), largest};
  }

  /// [..., rows, cols] -> [..., 2]: the same on tensors, see matchers/tensor/decode.hpp, which
  /// defines it.
  inline at::Tensor decode(const at::Tensor& similarity) const;
};

}  // namespace homolog::inline v0_1
