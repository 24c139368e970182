// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A deterministic backbone without weights and without LibTorch, for tests, examples and
/// benchmarks of everything around a real one.

#include <algorithm>
#include <cstddef>
#include <vector>

#include "homolog/core/backbone_concept.hpp"
#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

/// Hand-made patch features: `cells` x `cells` mean colours of each patch and of the window of 3x3
/// patches around it, each less the mean colour of its window. They are enough to find the same
/// texture again; no further quality is claimed.
struct SyntheticBackbone {
  /// What a user may change.
  struct Setting {
    int patch_size = 16;  ///< [px]
    int cells = 4;        ///< [-] mean colours per patch side
  };
  Setting setting;  ///< read at every call

  /// Side of a patch [px].
  int patch_size() const { return setting.patch_size; }

  /// Features of dimension 2 * 3 * cells * cells.
  ///
  /// @throws SettingError when the setting is not positive, ShapeError when a side is no multiple
  /// of the patch size or the batch's values do not fit its size
  std::vector<FeatureMap> operator()(const InputBatch& batch) const {
    const int patch = setting.patch_size, cells = setting.cells;
    if (patch < 1 || cells < 1 || cells > patch) {
      throw SettingError(detail::text("synthetic backbone: patch size ", patch, " and cells ",
                                      cells, ", expected 1 <= cells <= patch size"));
    }
    detail::require_batch(batch);
    if (batch.size.width % patch != 0 || batch.size.height % patch != 0) {
      throw ShapeError(detail::text("synthetic backbone: input ", batch.size.width, "x",
                                    batch.size.height, ", expected multiples of the patch size ",
                                    patch));
    }
    const int rows = batch.size.height / patch, cols = batch.size.width / patch;
    std::vector<FeatureMap> maps;
    for (int i = 0; i < batch.batch; ++i) {
      FeatureMap map(rows, cols, 6 * cells * cells);
      for (int row = 0; row < rows; ++row) {
        for (int col = 0; col < cols; ++col) {
          auto feature = map.cell(row, col);
          describe(batch, i, row * patch, col * patch, patch, feature.head(3 * cells * cells));
          describe(batch, i, (row - 1) * patch, (col - 1) * patch, 3 * patch,
                   feature.tail(3 * cells * cells));
        }
      }
      maps.push_back(std::move(map));
    }
    return maps;
  }

 private:
  /// Mean colours of a square window (cropped at the border), less the window's mean colour.
  template <class Row>
  void describe(const InputBatch& batch, int picture, int top, int left, int side,
                Row&& feature) const {
    const int cells = setting.cells;
    const float* pixels = batch.picture(picture);
    for (int channel = 0; channel < 3; ++channel) {
      double sum = 0;
      for (int v = 0; v < cells; ++v) {
        for (int u = 0; u < cells; ++u) {
          const double mean = mean_colour(pixels, batch.size, channel, top + v * side / cells,
                                          top + (v + 1) * side / cells, left + u * side / cells,
                                          left + (u + 1) * side / cells);
          feature[(channel * cells + v) * cells + u] = static_cast<float>(mean);
          sum += mean;
        }
      }
      feature.segment(channel * cells * cells, cells * cells).array() -=
          static_cast<float>(sum / (cells * cells));
    }
  }

  static double mean_colour(const float* pixels, Size size, int channel, int y1, int y2, int x1,
                            int x2) {
    const auto width = static_cast<std::size_t>(size.width);
    const auto height = static_cast<std::size_t>(size.height);
    double sum = 0;
    int count = 0;
    for (int y = (std::max)(y1, 0); y < (std::min)(y2, size.height); ++y) {
      const float* const row =
          pixels +
          (static_cast<std::size_t>(channel) * height + static_cast<std::size_t>(y)) * width;
      for (int x = (std::max)(x1, 0); x < (std::min)(x2, size.width); ++x, ++count) {
        sum += static_cast<double>(row[x]);
      }
    }
    return count == 0 ? 0.0 : sum / count;
  }
};

}  // namespace homolog::inline v0_1
