// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A similarity map laid over the picture that it belongs to. Opt-in; no LibTorch.

#include <limits>

#include "homolog/core/feature_map.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/images/image.hpp"

namespace homolog::inline v0_1 {

/// How a similarity map is drawn.
struct DrawSimilaritySetting {
  double opacity = 0.65;  ///< [0, 1] of the colours over the picture
  bool smooth = false;    ///< interpolate between cells; false shows the cells as they are
  /// [-1, 1] cosine that gets the darkest colour; NaN takes the map's least finite value.
  float low = std::numeric_limits<float>::quiet_NaN();
  /// [-1, 1] cosine that gets the brightest colour; NaN takes the map's largest finite value.
  float high = std::numeric_limits<float>::quiet_NaN();
};

/// Lays a similarity map [rows, cols] over the picture whose features it was made with: bright
/// where the query's feature is found, the bare picture where the map is not finite (padding).
///
/// @param image the target picture
/// @param map cosine similarity of one query with each cell
/// @param transform between that picture's pixels and the map's cells, as Pipeline::transform() and
/// ImageFeatures give it
/// @throws ShapeError when the map's shape is not the transform's grid or the transform is of
/// another picture size; ValueError when no value is finite; SettingError for
/// an opacity outside [0, 1] or a bound that is infinite
Image draw_similarity(const ImageView& image, const SimilarityMap& map,
                      const FrameTransform& transform, const DrawSimilaritySetting& setting = {});

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/visualization/detail/draw_similarity_inl.hpp"
#endif
