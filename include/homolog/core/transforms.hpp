// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The only two objects that move points between frames: ImageTransform (picture <-> backbone
/// input) and GridTransform (backbone input <-> patch grid). Both are half-pixel exact: they map
/// edges to edges, so that position p measured from the left edge is x + 0.5.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "homolog/core/points.hpp"

namespace homolog::inline v0_1 {

/// How a picture becomes a backbone's input.
enum class Resize {
  squash,        ///< stretched to S x S; the aspect ratio is lost
  letterbox,     ///< longest side to S, centred, the rest zero after normalisation
  longest_side,  ///< SAM's own: as letterbox, but at the top left
  native         ///< own size, each side rounded to the nearest multiple of the patch
};
/// Their names, see value_name().
constexpr std::array<std::string_view, 4> value_names(Resize) {
  return {"squash", "letterbox", "longest-side", "native"};
}

/// Half-pixel exact map between a picture and the backbone input made from it.
///
/// Per axis, input = (image + 0.5) * scale + offset - 0.5. The picture covers `content` pixels of
/// the input, starting at integer `offset`; the rest of `input` is padding.
struct ImageTransform {
  Size image;        ///< [px] decoded picture
  Size input;        ///< [px] backbone input
  Size content;      ///< [px] part of the input that shows the picture
  int offset_x = 0;  ///< [px] padding left of the content
  int offset_y = 0;  ///< [px] padding above the content

  /// Input pixels per picture pixel along x.
  double scale_x() const { return static_cast<double>(content.width) / image.width; }
  /// Input pixels per picture pixel along y.
  double scale_y() const { return static_cast<double>(content.height) / image.height; }

  /// Where a point of the picture lies in the input; points outside are mapped too.
  Point<InputFrame> to_input(Point<ImageFrame> point) const {
    return {(point.x + 0.5) * scale_x() + offset_x - 0.5,
            (point.y + 0.5) * scale_y() + offset_y - 0.5};
  }
  /// The inverse of to_input(); a point on padding lands outside the picture.
  Point<ImageFrame> to_image(Point<InputFrame> point) const {
    return {(point.x + 0.5 - offset_x) / scale_x() - 0.5,
            (point.y + 0.5 - offset_y) / scale_y() - 0.5};
  }
  /// The point of the picture nearest to `point`: inside, from the left and upper edge at -0.5 to
  /// the right and lower one at width - 0.5 and height - 0.5, nothing moves; a NaN stays one.
  Point<ImageFrame> nearest_inside(Point<ImageFrame> point) const {
    return {std::clamp(point.x, -0.5, image.width - 0.5),
            std::clamp(point.y, -0.5, image.height - 0.5)};
  }
  /// Equal when all members are.
  friend bool operator==(const ImageTransform&, const ImageTransform&) = default;
};

/// Makes the transform of a resize mode.
///
/// @param image size of the picture [px]
/// @param resize squash, letterbox and longest_side give side x side, native ignores `side`
/// @param side [px] a multiple of `patch`
/// @param patch [px] patch size of the backbone
/// @throws SettingError when a size is not positive or `side` is no multiple of `patch`
ImageTransform make_image_transform(Size image, Resize resize, int side, int patch);

/// Half-pixel exact map between a backbone input and its patch grid:
/// cell = (x + 0.5) / patch - 0.5 and x = (cell + 0.5) * patch - 0.5.
struct GridTransform {
  int patch = 1;  ///< [px] side of a patch
  int rows = 0;   ///< [cells] height of the grid
  int cols = 0;   ///< [cells] width of the grid

  /// Where a point of the input lies on the grid; a patch's middle is its cell's centre.
  Point<GridFrame> to_grid(Point<InputFrame> point) const {
    return {(point.x + 0.5) / patch - 0.5, (point.y + 0.5) / patch - 0.5};
  }
  /// The inverse of to_grid().
  Point<InputFrame> to_input(Point<GridFrame> cell) const {
    return {(cell.x + 0.5) * patch - 0.5, (cell.y + 0.5) * patch - 0.5};
  }
  /// Equal when all members are.
  friend bool operator==(const GridTransform&, const GridTransform&) = default;
};

/// The grid of an input.
///
/// @throws SettingError when a side of `input` is no multiple of `patch`
GridTransform make_grid_transform(Size input, int patch);

/// Picture <-> grid in one step: an ImageTransform followed by a GridTransform.
struct FrameTransform {
  ImageTransform image;  ///< picture <-> backbone input
  GridTransform grid;    ///< backbone input <-> patch grid

  /// Where a point of the picture lies on the grid [cells].
  Point<GridFrame> to_grid(Point<ImageFrame> point) const {
    return grid.to_grid(image.to_input(point));
  }
  /// Where a point of the grid lies in the picture [px], the inverse of to_grid(); a point on
  /// padding lands outside the picture.
  Point<ImageFrame> to_image(Point<GridFrame> cell) const {
    return image.to_image(grid.to_input(cell));
  }
  /// What an answer on the grid means in the picture [px]: to_image(), moved onto the picture's
  /// edge where it lies outside. The centre of a cell that is partly padding may lie on the
  /// padding.
  Point<ImageFrame> answer_to_image(Point<GridFrame> cell) const {
    return image.nearest_inside(to_image(cell));
  }
  /// to_grid() of each point, in order.
  Points<GridFrame> to_grid(const Points<ImageFrame>& points) const {
    Points<GridFrame> cells(points.size());
    for (std::size_t i = 0; i < points.size(); ++i) cells[i] = to_grid(points[i]);
    return cells;
  }
  /// to_image() of each cell, in order.
  Points<ImageFrame> to_image(const Points<GridFrame>& cells) const {
    Points<ImageFrame> points(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) points[i] = to_image(cells[i]);
    return points;
  }
};

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/core/detail/transforms_inl.hpp"
#endif
