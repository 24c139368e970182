// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The most similar pixel of a feature map that is upsampled linearly, without upsampling features:
/// a cosine with an interpolated feature is made of the four cells' dot products, q.(sum w_i f_i) =
/// sum w_i (q.f_i), and of the norms in upsampled_norms.hpp.

#include <vector>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/detail/check.hpp"
#include "homolog/kernels/upsampled_norms.hpp"

namespace homolog::inline v0_1 {

/// The most similar pixel of a query and the cosine there.
struct PixelPeak {
  int x = 0;        ///< [px] column of the upsampled grid
  int y = 0;        ///< [px] row of the upsampled grid
  float value = 0;  ///< cosine with the interpolated feature, in [-1, 1]
};

/// The pixel of the upsampled target that is most similar to each query: the answer of upsampling
/// the features, normalising every pixel's and taking the argmax (DIFT's protocol), up to rounding.
///
/// Of equally similar pixels the one with the lowest row-major index wins. Pixels outside the
/// content, and those between four cells of which one is not finite, never win.
///
/// @param queries L2-normalised float32 [N,D]
/// @param target features of any scale: the cosine is that with the interpolated feature
/// @param norms of `target`
/// @return [N] pixels of `norms.size`
/// @throws ShapeError when D differs, or `norms` are those of other cells; ValueError naming the
/// first query without any finite similarity
std::vector<PixelPeak> find_upsampled_peaks(MatrixView queries, const FeatureMap& target,
                                            const UpsampledNorms& norms,
                                            const Execution& execution = {});

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/kernels/detail/upsampled_peak_inl.hpp"
#endif
