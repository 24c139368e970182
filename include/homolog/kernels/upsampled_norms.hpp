// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Norms of a feature map's interpolated features, without interpolating features: with the weights
/// of four cells, |sum w_i f_i|^2 = sum w_i w_j (f_i.f_j).

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/worker_pool.hpp"
#include "homolog/kernels/similarity.hpp"

namespace homolog::inline v0_1 {

/// Where one axis of pixels lies between cells; pixels outside the map's content are left out.
struct UpsampledAxis {
  int first_pixel = 0;         ///< [px] the first that lies in the content
  int first_cell = 0;          ///< [cells] the first of the content
  std::vector<float> weights;  ///< of the second cell, by pixel - first_pixel
  std::vector<int> begin;      ///< pixels [begin[c], begin[c+1]) have cell first_cell + c first

  /// Cells of the content along this axis.
  int cells() const { return static_cast<int>(begin.size()) - 1; }
};

/// What find_upsampled_peaks() needs of a map besides its features; made once a picture.
struct UpsampledNorms {
  Size size;        ///< [px] that the whole grid is upsampled to
  UpsampledAxis x;  ///< columns
  UpsampledAxis y;  ///< rows
  FloatMatrix
      inverse;  ///< 1 / L2 norm of each pixel's interpolated feature, rows and columns of y, x
  FloatMatrix largest;  ///< the largest of them between four cells; 0 where a cell is not finite
};

namespace detail {

/// The four cells around the pixels of one range, as rows of the map; equal ones at its border.
struct FourCells {
  FourCells(const FeatureMap& map, const UpsampledNorms& norms, int row, int col) {
    const Eigen::Index top = norms.y.first_cell + row, left = norms.x.first_cell + col;
    const Eigen::Index below = std::min<Eigen::Index>(top + 1, map.content.y2 - 1);
    const Eigen::Index right = std::min<Eigen::Index>(left + 1, map.content.x2 - 1);
    top_left = top * map.cols + left;
    top_right = top * map.cols + right;
    bottom_left = below * map.cols + left;
    bottom_right = below * map.cols + right;
  }
  Eigen::Index top_left, top_right, bottom_left, bottom_right;
};

}  // namespace detail

/// Norms of a map's interpolated features, as bilinear upsampling without aligned corners (half
/// pixels) interpolates. Where cells cancel each other to a millionth of their length, nothing but
/// rounding is left, and the cosine there is 0, as that of features that are all zero.
///
/// @param map features of any scale
/// @param size [px] of the upsampled grid, padding included
/// @throws ShapeError for an empty size, or when the map's sizes contradict each other;
/// SettingError for an instruction set that this machine does not have
UpsampledNorms upsampled_norms(const FeatureMap& map, Size size, const Execution& execution = {});

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/kernels/detail/upsampled_norms_inl.hpp"
#endif
