// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The baseline matcher.

#include <optional>
#include <string_view>
#include <tuple>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/kernels/peak.hpp"

namespace homolog::inline v0_1 {

/// Answers with the centre of the most similar cell (equation 2).
///
/// Of equally similar cells, the one with the lowest row-major index wins; NaN never wins.
struct Argmax {
  /// The name that from_name() takes for this matcher.
  static constexpr std::string_view name = "argmax";
  /// Nothing to set.
  struct Setting {
    /// No fields.
    static constexpr auto fields() { return std::tuple<>(); }
  };
  Setting setting;  ///< empty, there for uniformity with other matchers

  /// @throws ValueError when no value of `map` is finite
  Match operator()(const SimilarityMap& map, const Execution& execution = {}) const {
    const Peak peak = find_peak(map, execution);
    return {peak.cell(), peak.value};
  }

  /// [..., rows, cols] -> [..., 2]: the same on tensors, see matchers/tensor/decode.hpp, which
  /// defines it.
  inline at::Tensor decode(const at::Tensor& similarity) const;

  /// The answer depends on the peak alone.
  std::optional<int> reach() const { return 0; }
};

}  // namespace homolog::inline v0_1
