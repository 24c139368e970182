// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of core/transforms.hpp.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/points.hpp"
#include "homolog/core/transforms.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE ImageTransform make_image_transform(Size image, Resize resize, int side, int patch) {
  if (image.width <= 0 || image.height <= 0 || patch <= 0) {
    throw SettingError(detail::text("image transform: sizes must be positive, got image ",
                                    image.width, "x", image.height, " and patch ", patch));
  }
  if (resize == Resize::native) {
    const auto round_to_patch = [patch](int length) {
      return (std::max)(1, static_cast<int>(std::lround(static_cast<double>(length) / patch))) *
             patch;
    };
    const Size input{round_to_patch(image.width), round_to_patch(image.height)};
    return {image, input, input, 0, 0};
  }
  if (side <= 0 || side % patch != 0) {
    throw SettingError(detail::text(
        "image size ", side, " is not a positive multiple of the patch ", "size ", patch,
        "; the nearest is ",
        (std::max)(1, static_cast<int>((std::int64_t{side} + patch / 2) / patch)) * patch));
  }
  const Size input{side, side};
  if (resize == Resize::squash) return {image, input, input, 0, 0};
  const double scale = static_cast<double>(side) / (std::max)(image.width, image.height);
  const auto scaled = [scale, side](int length) {
    return std::clamp(static_cast<int>(length * scale + 0.5), 1, side);
  };
  const Size content{scaled(image.width), scaled(image.height)};
  if (resize == Resize::longest_side) return {image, input, content, 0, 0};
  return {image, input, content, (side - content.width) / 2, (side - content.height) / 2};
}

HOMOLOG_INLINE GridTransform make_grid_transform(Size input, int patch) {
  if (patch <= 0 || input.width <= 0 || input.height <= 0 || input.width % patch != 0 ||
      input.height % patch != 0) {
    throw SettingError(detail::text("input size ", input.width, "x", input.height,
                                    " is not a positive multiple of the patch size ", patch));
  }
  return {patch, input.height / patch, input.width / patch};
}

}  // namespace homolog::inline v0_1
