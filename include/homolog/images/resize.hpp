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
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/points.hpp"
#include "homolog/images/detail/resample.hpp"
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
inline Image resize_image(const ImageView& image, Size size,
                          ResizeFilter filter = ResizeFilter::bicubic,
                          PassOrder order = PassOrder::pillow13) {
  image.require_valid("resize_image");
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
  const auto across = [&](const ImageView& in) {
    return detail::resample_width(in, make_axis(in.width, size.width));
  };
  const auto down = [&](const ImageView& in, std::vector<std::uint8_t>& bytes) {
    return detail::resample_height(in, make_axis(in.height, size.height), bytes);
  };
  if (size == image.size()) return Image(image);
  if (size.height == image.height) return across(image);
  const std::int64_t lost_rows = std::int64_t{image.height} - size.height;
  const std::int64_t lost_columns = std::int64_t{image.width} - size.width;
  const bool vertical_first =
      order == PassOrder::pillow13 && lost_rows > 0 && lost_rows > 2 * lost_columns;
  std::vector<std::uint8_t> bytes;
  if (size.width != image.width && vertical_first) return across(down(image, bytes));
  const Image wide = size.width == image.width ? Image() : across(image);
  const ImageView shorter = down(wide.width == 0 ? image : ImageView(wide), bytes);
  if (shorter.format != PixelFormat::rgb) return Image(shorter);
  Image result;
  result.width = size.width;
  result.height = size.height;
  result.pixels = std::move(bytes);
  return result;
}

}  // namespace homolog::inline v0_1
