// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Two pictures side by side with their matches drawn between them. Opt-in; no LibTorch.

#include <array>
#include <cstddef>
#include <cstdint>

#include "homolog/core/points.hpp"
#include "homolog/images/image.hpp"

namespace homolog::inline v0_1 {

/// How matches are drawn.
struct DrawSetting {
  double radius = 4;        ///< [px] of a keypoint's disc
  double line_width = 1.6;  ///< [px]
  int gap = 12;             ///< [px] between the two pictures
};

/// Red, green, blue.
using Colour = std::array<std::uint8_t, 3>;

/// The colour of match number `index`: hues of equal strength, which lie far apart on the colour
/// circle for neighbouring indices.
Colour match_colour(std::size_t index);

/// Draws a line from a to b, `width` pixels wide, with round ends and a soft edge of one pixel;
/// parts outside the picture are not drawn, and neither is a line with an end that is not finite.
void draw_line(Image& image, Point<ImageFrame> a, Point<ImageFrame> b, double width, Colour colour);

/// Draws a disc with a white rim, `radius` pixels with the rim.
inline void draw_point(Image& image, Point<ImageFrame> at, double radius, Colour colour) {
  draw_line(image, at, at, 2 * radius, {255, 255, 255});
  draw_line(image, at, at, 2 * (radius - 1), colour);
}

/// Draws source and target side by side on white, one colour a match: a disc on the source
/// keypoint, a line, and a disc on the predicted point. With `truth`, a ring marks where each point
/// should be and lines of matches farther than `threshold` from it are drawn thin.
///
/// @param points [N,2] pixels of the source; @param predicted [N,2] pixels of the target
/// @param truth [N,2] pixels of the target, or null; @param threshold [px]
/// A point that is not finite is not drawn, and no line to it.
///
/// @throws ShapeError when the lists differ in length, or pixels do not fit a picture's size;
/// SettingError for a negative or infinite radius, width or gap
Image draw_matches(const ImageView& source, const ImageView& target,
                   const Points<ImageFrame>& points, const Points<ImageFrame>& predicted,
                   const Points<ImageFrame>* truth = nullptr, double threshold = 0,
                   const DrawSetting& setting = {});

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/visualization/detail/draw_matches_inl.hpp"
#endif
