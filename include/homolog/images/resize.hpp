// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Antialiased resize of uint8 pictures, equal to Pillow bit for bit.
///
/// Two separable passes; an axis that keeps its length is skipped. Weights follow the half-pixel
/// convention, are widened by the scale where an axis shrinks, and are rounded to 22 fraction bits;
/// values are rounded and clipped to uint8 after each pass, so the order of the passes shows in the
/// result (by up to 6 grey levels on photographs).

#include <array>
#include <string_view>

#include "homolog/core/points.hpp"
#include "homolog/images/image.hpp"

namespace homolog::inline v0_1 {

/// Interpolation kernel.
enum class ResizeFilter {
  bicubic,  ///< cubic convolution, A = -0.5, support 2 (Pillow's BICUBIC)
  bilinear  ///< triangle, support 1 (Pillow's BILINEAR)
};
/// Their names, see value_name().
constexpr std::array<std::string_view, 2> value_names(ResizeFilter) {
  return {"bicubic", "bilinear"};
}

/// Which pass comes first when both axes change.
enum class PassOrder {
  pillow13,  ///< vertical iff h_in > h_out and h_in - h_out > 2 * (w_in - w_out); Pillow >= 13
  horizontal_first  ///< always horizontal; Pillow up to 12.2
};

/// Resizes a picture; the result is RGB, whatever the view's format.
///
/// @param size [px] of the result; at most 2^20 a side and 2^30 pixels
/// @throws ShapeError when `image` is empty or its members contradict each other
/// @throws SettingError when `size` is not positive or too large
Image resize_image(const ImageView& image, Size size, ResizeFilter filter = ResizeFilter::bicubic,
                   PassOrder order = PassOrder::pillow13);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/images/detail/resize_inl.hpp"
#endif
