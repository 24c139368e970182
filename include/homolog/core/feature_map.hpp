// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Patch features on a grid, similarity maps, and matches: the values that flow from a backbone to
/// a matcher.

#include <concepts>
#include <cstddef>

#include "homolog/core/float_matrix.hpp"
#include "homolog/core/points.hpp"

namespace homolog::inline v0_1 {

/// Cells [x1, x2) x [y1, y2) of a grid that show the picture; the others are padding.
struct CellRange {
  int x1 = 0;  ///< first column
  int y1 = 0;  ///< first row
  int x2 = 0;  ///< behind the last column
  int y2 = 0;  ///< behind the last row
  /// Whether the cell in column x and row y lies inside.
  bool contains(int x, int y) const { return x >= x1 && x < x2 && y >= y1 && y < y2; }
  /// Equal when all four bounds are.
  friend bool operator==(const CellRange&, const CellRange&) = default;
};

/// Features of one picture: a [rows, cols] grid of D floats, cells row-major, features contiguous.
struct FeatureMap {
  int rows = 0;        ///< [cells] height of the grid
  int cols = 0;        ///< [cells] width of the grid
  FloatMatrix values;  ///< [rows*cols, D] float32
  CellRange content;   ///< cells that show the picture (all of them unless the input is padded)

  FeatureMap() = default;
  /// Zero features of the given shape, of which no side is negative.
  FeatureMap(int rows_, int cols_, int dim)
      : rows(rows_),
        cols(cols_),
        values(static_cast<std::ptrdiff_t>(rows_) * cols_, dim),
        content{0, 0, cols_, rows_} {}

  /// D, the floats of one feature.
  int dim() const { return static_cast<int>(values.cols()); }
  /// Cells of the whole grid, padding included: rows * cols.
  int cells() const { return rows * cols; }
  /// [bytes] that the values take.
  std::size_t bytes() const { return static_cast<std::size_t>(values.size()) * sizeof(float); }
  /// All features as a view [rows*cols, D], cells row-major; valid while `values` lives unchanged.
  MatrixView descriptors() const { return values; }
  /// The feature [1,D] of a cell, a view. (Templates, as FloatMatrix::row() is.)
  auto cell(std::integral auto row, std::integral auto col) const {
    return values.row(static_cast<std::ptrdiff_t>(row) * cols + static_cast<std::ptrdiff_t>(col));
  }
  /// The feature [1,D] of a cell, a view to write through.
  auto cell(std::integral auto row, std::integral auto col) {
    return values.row(static_cast<std::ptrdiff_t>(row) * cols + static_cast<std::ptrdiff_t>(col));
  }
};

/// The answer for one query.
struct Match {
  Point<GridFrame> cell;  ///< where, in cells of the target grid
  float score = 0;        ///< cosine similarity at the peak, in [-1, 1]
  bool mutual = true;     ///< false when a mutual check was made and failed
};

}  // namespace homolog::inline v0_1
