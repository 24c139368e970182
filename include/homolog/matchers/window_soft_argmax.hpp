// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Soft-argmax inside a window around the peak.

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <tuple>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/field.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/kernels/softmax.hpp"

namespace homolog::inline v0_1 {

/// Answers with the expected position under a softmax around the most similar cell (equations 9 to
/// 12): the window holds the cells within `window_radius` of the peak in the maximum norm, and is
/// cropped at the border of the grid.
///
/// Cells whose similarity is not finite (padding, NaN) have probability zero, in both forms.
struct WindowSoftArgmax {
  /// The name that from_name() takes for this matcher.
  static constexpr std::string_view name = "window-soft-argmax";
  /// What the cells outside the window count for.
  enum class Outside {
    excluded,     ///< nothing: probability zero, the paper's form
    masked_zero,  ///< similarity 0 in a softmax over all cells, GeoAware-SC's form
  };
  /// The names of the enumerators, in their order.
  friend constexpr std::array<std::string_view, 2> value_names(Outside) {
    return {"excluded", "masked_zero"};
  }
  /// What a user may change: the window, and how sharp the softmax in it is.
  struct Setting {
    int window_radius = 2;                ///< [cells] 2 is a window of 5x5; 0 answers like Argmax
    float temperature = 10;               ///< tau, multiplies the cosine
    Outside outside = Outside::excluded;  ///< by default the cells outside do not count

    /// The fields, for checks, JSON, options and tables.
    static constexpr auto fields() {
      return std::tuple(
          Field{"temperature", &Setting::temperature, "multiplies the cosine; tau of the paper",
                Allowed::positive},
          Field{"window_radius", &Setting::window_radius,
                "cells on each side of the peak that the softmax runs over", Allowed::not_negative},
          Field{"outside", &Setting::outside,
                "what cells outside the window count for: nothing (excluded), or similarity 0 in a "
                "softmax over all cells (masked_zero)"});
    }
  };
  Setting setting;  ///< as default-constructed unless changed

  /// @throws ValueError when no value of `map` is finite; SettingError for a negative radius or a
  /// temperature that is not positive and finite
  Match operator()(const SimilarityMap& map, const Execution& execution = {}) const {
    require_fields(setting, "WindowSoftArgmax");
    const Peak peak = find_peak(map, execution);
    const Eigen::Index radius = setting.window_radius;
    const CellRange window{static_cast<int>(std::max<Eigen::Index>(peak.col - radius, 0)),
                           static_cast<int>(std::max<Eigen::Index>(peak.row - radius, 0)),
                           static_cast<int>((std::min)(peak.col + radius + 1, map.cols())),
                           static_cast<int>((std::min)(peak.row + radius + 1, map.rows()))};

    // Masked cells have similarity 0, which is the softmax's maximum where the peak is negative.
    SoftmaxSums masked;
    if (setting.outside == Outside::masked_zero) {
      for (int row = 0; row < map.rows(); ++row) {
        for (int col = 0; col < map.cols(); ++col) {
          if (!window.contains(col, row) && std::isfinite(map(row, col))) masked.add(row, col, 1);
        }
      }
    }
    const float maximum = masked.total > 0 ? (std::max)(peak.value, 0.0F) : peak.value;
    SoftmaxSums sums = softmax_sums(map, window, maximum, setting.temperature);
    if (masked.total > 0) {
      const auto weight = static_cast<double>(softmax_weight(0, maximum, setting.temperature));
      sums.total += weight * masked.total;
      sums.x += weight * masked.x;
      sums.y += weight * masked.y;
    }
    return {sums.mean(), peak.value};
  }

  /// [..., rows, cols] -> [..., 2]: the same on tensors, see matchers/tensor/decode.hpp, which
  /// defines it.
  inline at::Tensor decode(const at::Tensor& similarity) const;

  /// The radius of the window; std::nullopt (all cells) when cells outside the window count too.
  std::optional<int> reach() const {
    return setting.outside == Outside::excluded && setting.window_radius >= 0
               ? std::optional<int>(setting.window_radius)
               : std::nullopt;
  }
};

}  // namespace homolog::inline v0_1
