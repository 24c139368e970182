// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Antialiased resize of RGB uint8 pictures, equal to Pillow bit for bit.
///
/// Two separable passes; an axis that keeps its length is skipped. Weights follow the half-pixel
/// convention, are widened by the scale where an axis shrinks, and are rounded to 22 fraction bits;
/// values are rounded and clipped to uint8 after each pass, so the order of the passes shows in the
/// result (by up to 6 grey levels on photographs).

#include <cstdint>

#include "homolog/core/errors.hpp"
#include "homolog/core/points.hpp"
#include "homolog/images/detail/check_image.hpp"
#include "homolog/images/detail/resample.hpp"
#include "homolog/images/image.hpp"

namespace homolog::inline v0_1 {

/// Interpolation kernel.
enum class ResizeFilter {
  bicubic,  ///< cubic convolution, A = -0.5, support 2 (Pillow's BICUBIC)
  bilinear  ///< triangle, support 1 (Pillow's BILINEAR)
};

/// Which pass comes first when both axes change.
enum class PassOrder {
  pillow13,  ///< vertical iff h_in > h_out and h_in - h_out > 2 * (w_in - w_out); Pillow >= 13
  horizontal_first  ///< always horizontal; Pillow up to 12.2
};

/// Resizes a picture.
///
/// @param size [px] of the result; at most 2^20 a side and 2^30 pixels
/// @throws ShapeError when the pixels of `image` do not fit its size
/// @throws SettingError when `size` is not positive or too large
inline Image resize_image(const Image& image, Size size,
                          ResizeFilter filter = ResizeFilter::bicubic,
                          PassOrder order = PassOrder::pillow13) {
  detail::check_image(image, "resize_image");
  constexpr int max_side = 1 << 20;
  if (size.width < 1 || size.height < 1 || size.width > max_side || size.height > max_side ||
      static_cast<std::int64_t>(size.width) * size.height > (std::int64_t{1} << 30)) {
    throw SettingError(detail::text("resize_image: expected sides of 1 to ", max_side,
                                    " pixels and at most 2^30 pixels, got ", size.width, "x",
                                    size.height));
  }
  const auto make_axis = [filter](int in, int out) {
    return filter == ResizeFilter::bicubic
               ? detail::make_resample_axis(in, out, 2.0, detail::cubic_kernel)
               : detail::make_resample_axis(in, out, 1.0, detail::triangle_kernel);
  };
  const auto across = [&](const Image& in) {
    return detail::resample_width(in, make_axis(in.width, size.width));
  };
  const auto down = [&](const Image& in) {
    return detail::resample_height(in, make_axis(in.height, size.height));
  };
  if (size == image.size()) return image;
  if (size.height == image.height) return across(image);
  if (size.width == image.width) return down(image);
  const std::int64_t lost_rows = std::int64_t{image.height} - size.height;
  const std::int64_t lost_columns = std::int64_t{image.width} - size.width;
  const bool vertical_first =
      order == PassOrder::pillow13 && lost_rows > 0 && lost_rows > 2 * lost_columns;
  return vertical_first ? across(down(image)) : down(across(image));
}

}  // namespace homolog::inline v0_1
