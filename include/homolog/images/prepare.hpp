// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// From a picture to the numbers a backbone reads.

#include <cstdint>

#include "homolog/core/input.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/images/image.hpp"
#include "homolog/images/resize.hpp"

namespace homolog::inline v0_1 {

/// Resizes, normalises and places a picture: float32 [3, input.height, input.width], RGB planes,
/// (value / 255 - mean) / standard_deviation in float32 as torchvision computes it. Cells of the
/// input outside `transform.content` are 0, which is the mean colour.
///
/// @param transform made for a picture of this size
/// @param chw receives 3 * input.height * input.width floats; untouched when an error is thrown
/// @throws ShapeError when the transform is one of another picture size, or its content does not
///   lie inside its input
/// @throws SettingError when a standard deviation is not positive
void prepare_input(const ImageView& image, const ImageTransform& transform,
                   const Normalization& normalization, ResizeFilter filter, float* chw,
                   PassOrder order = PassOrder::pillow13);

/// Resizes and places a picture as prepare_input does, but gives bytes, which the backbone
/// normalises.
///
/// @param hwc receives input.height * input.width * 3 bytes, 0 outside the content; untouched when
///   an error is thrown
/// @throws ShapeError as prepare_input
void prepare_bytes(const ImageView& image, const ImageTransform& transform, ResizeFilter filter,
                   std::uint8_t* hwc, PassOrder order = PassOrder::pillow13);

/// The picture mirrored left to right, as RGB: pixel (x, y) moves to (width - 1 - x, y).
///
/// @throws ShapeError when the picture is empty or its members contradict each other
Image flip_horizontally(const ImageView& image);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/images/detail/prepare_inl.hpp"
#endif
