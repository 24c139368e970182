// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of kernels/upsampled_peak.hpp.

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/detail/check.hpp"
#include "homolog/kernels/similarity.hpp"
#include "homolog/kernels/upsampled_norms.hpp"
#include "homolog/kernels/upsampled_peak.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// The best pixel of one query. `similarity` holds its dot products with all cells.
inline PixelPeak find_upsampled_peak(const float* similarity, const FeatureMap& map,
                                     const UpsampledNorms& norms, FloatMatrix& bounds) {
  const int rows = norms.y.cells(), cols = norms.x.cells();
  constexpr float lowest = -std::numeric_limits<float>::infinity();
  PixelPeak best{0, 0, lowest};
  const auto corners = [&](int row, int col) {
    const FourCells cells(map, norms, row, col);
    return std::array{similarity[cells.top_left], similarity[cells.top_right],
                      similarity[cells.bottom_left], similarity[cells.bottom_right]};
  };
  const auto look = [&](int row, int col) {
    const auto s = corners(row, col);
    const auto y1 = norms.y.begin[static_cast<std::size_t>(row)];
    const auto y2 = norms.y.begin[static_cast<std::size_t>(row) + 1];
    const auto x1 = norms.x.begin[static_cast<std::size_t>(col)];
    const auto x2 = norms.x.begin[static_cast<std::size_t>(col) + 1];
    for (int y = y1; y < y2; ++y) {
      const float v = norms.y.weights[static_cast<std::size_t>(y - norms.y.first_pixel)];
      const float left = (1 - v) * s[0] + v * s[2], right = (1 - v) * s[1] + v * s[3];
      for (int x = x1; x < x2; ++x) {
        const float t = norms.x.weights[static_cast<std::size_t>(x - norms.x.first_pixel)];
        const float value = ((1 - t) * left + t * right) *
                            norms.inverse(y - norms.y.first_pixel, x - norms.x.first_pixel);
        const bool before = y < best.y || (y == best.y && x < best.x);
        if (value > best.value || (value == best.value && before)) best = {x, y, value};
      }
    }
  };
  // No pixel between four cells exceeds the largest of their similarities times the largest inverse
  // norm; 1e-5 covers the rounding.
  bounds.resize(rows, cols);
  Eigen::Index top = 0, left = 0;
  float largest = lowest;
  for (int row = 0; row < rows; ++row) {
    for (int col = 0; col < cols; ++col) {
      const auto s = corners(row, col);
      const float most = (std::max)((std::max)(s[0], s[1]), (std::max)(s[2], s[3]));
      const float least = (std::min)((std::min)(s[0], s[1]), (std::min)(s[2], s[3]));
      const float inverse = norms.largest(row, col);
      // A cell without a finite similarity has -infinity here.
      const bool possible = inverse > 0 && least > lowest;
      bounds(row, col) = possible ? (std::max)(most, 0.0F) * inverse * 1.00001F : lowest;
      if (bounds(row, col) > largest) {
        largest = bounds(row, col);
        top = row;
        left = col;
      }
    }
  }
  if (largest == lowest) return best;
  look(static_cast<int>(top), static_cast<int>(left));
  for (int row = 0; row < rows; ++row) {
    for (int col = 0; col < cols; ++col) {
      if (bounds(row, col) >= best.value && bounds(row, col) > lowest &&
          (row != top || col != left)) {
        look(row, col);
      }
    }
  }
  return best;
}

}  // namespace detail

HOMOLOG_INLINE std::vector<PixelPeak> find_upsampled_peaks(MatrixView queries,
                                                           const FeatureMap& target,
                                                           const UpsampledNorms& norms,
                                                           const Execution& execution) {
  detail::require_same_dim(queries, target);
  const CellRange made_of{norms.x.first_cell, norms.y.first_cell,
                          norms.x.first_cell + norms.x.cells(),
                          norms.y.first_cell + norms.y.cells()};
  if (made_of != target.content) {
    throw ShapeError(detail::text("the upsampled norms were made of cells (", made_of.x1, ", ",
                                  made_of.y1, ") to (", made_of.x2, ", ", made_of.y2,
                                  "), the target has (", target.content.x1, ", ", target.content.y1,
                                  ") to (", target.content.x2, ", ", target.content.y2, ")"));
  }
  std::vector<PixelPeak> peaks(static_cast<std::size_t>(queries.rows()));
  detail::in_blocks(
      queries.rows(), execution,
      [&](Eigen::Index begin, Eigen::Index count, const Execution& inner, FloatMatrix& similarity) {
        detail::fill_similarity_rows(
            MatrixView(queries.data() + begin * queries.cols(), count, queries.cols()), target,
            similarity, inner);
        FloatMatrix bounds;
        for (Eigen::Index i = 0; i < count; ++i) {
          PixelPeak& peak = peaks[static_cast<std::size_t>(begin + i)];
          peak = detail::find_upsampled_peak(detail::row_of(similarity, i), target, norms, bounds);
          if (peak.value == -std::numeric_limits<float>::infinity()) {
            throw ValueError(detail::text("query ", begin + i,
                                          ": no similarity with the upsampled target is finite"));
          }
        }
      });
  return peaks;
}

}  // namespace homolog::inline v0_1
