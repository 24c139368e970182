// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of images/resize.hpp.

#include <cstdint>
#include <utility>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/points.hpp"
#include "homolog/images/detail/resample.hpp"
#include "homolog/images/image.hpp"
#include "homolog/images/resize.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE Image resize_image(const ImageView& image, Size size, ResizeFilter filter,
                                  PassOrder order) {
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
