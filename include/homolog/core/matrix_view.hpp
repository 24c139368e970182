// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Descriptors in anyone's memory, as functions take them: rows of floats, one behind the other.

#include <concepts>
#include <cstddef>
#include <iterator>
#include <type_traits>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// A matrix, map or expression of Eigen, recognised by its members; Eigen need not be included.
template <class M>
concept EigenDense = requires(const M& matrix) {
  typename M::Scalar;
  M::IsRowMajor;
  matrix.rows();
  matrix.cols();
};

/// A range of floats that follow one another in memory. (Without <ranges>, which takes as long to
/// compile as all of this room.)
template <class R>
concept ContiguousFloats = requires(const R& values) {
  std::data(values);
  std::size(values);
  requires std::contiguous_iterator<decltype(std::begin(values))>;
  requires std::same_as < std::iter_value_t<decltype(std::begin(values))>,
  float > ;
};

/// One whose floats lie row by row in memory.
template <class M>
concept RowMajorFloats = EigenDense<M> && bool(M::IsRowMajor) && requires(const M& matrix) {
  { matrix.data() } -> std::convertible_to<const float*>;
  matrix.outerStride();
  matrix.innerStride();
};

}  // namespace detail

/// Read-only view of a row-major float32 matrix [rows, cols] without gaps, such as descriptors
/// [N,D]: a FloatMatrix, a row-major matrix or map of Eigen, or any contiguous range of floats with
/// its number of columns. What it shows must outlive it.
class MatrixView {
 public:
  /// [rows], [cols] and places in them, as Eigen counts.
  using Index = std::ptrdiff_t;

  /// An empty view, [0, 0].
  MatrixView() = default;
  /// A view of rows * cols floats; neither number is negative, which is not checked.
  MatrixView(const float* data, Index rows, Index cols) : data_(data), rows_(rows), cols_(cols) {}
  /// A view of a std::vector, span or array of floats: each row is `cols` of them.
  ///
  /// @throws ShapeError when they are no whole number of rows
  template <detail::ContiguousFloats Range>
  MatrixView(const Range& values, Index cols) : data_(std::data(values)), cols_(cols) {
    const auto size = static_cast<Index>(std::size(values));
    if (cols < 1 || size % cols != 0) {
      throw ShapeError(
          detail::text("matrix view: ", size, " floats, expected a multiple of ", cols));
    }
    rows_ = size / cols;
  }
  /// A view of a row-major matrix or map of Eigen; a view of a temporary is valid only during the
  /// call that it is passed to.
  ///
  /// @throws ShapeError when its rows do not follow one another without a gap
  template <detail::RowMajorFloats M>
  MatrixView(const M& matrix)  // NOLINT(google-explicit-constructor)
      : data_(matrix.data()), rows_(matrix.rows()), cols_(matrix.cols()) {
    if ((cols_ > 1 && matrix.innerStride() != 1) || (rows_ > 1 && matrix.outerStride() != cols_)) {
      throw ShapeError(detail::text(
          "matrix view: rows begin ", matrix.outerStride(), " floats apart and elements ",
          matrix.innerStride(), ", expected ", cols_, " and 1, without a gap; copy the matrix"));
    }
  }
  /// There is no view of a column-major matrix (Eigen::MatrixXf is one), of another scalar or of an
  /// expression: assign it to a FloatMatrix first, and take that.
  template <detail::EigenDense M>
  requires(!detail::RowMajorFloats<M>) MatrixView(const M& matrix)
  = delete;

  /// The first float; the others follow row by row.
  const float* data() const { return data_; }
  /// The number of rows.
  Index rows() const { return rows_; }
  /// The number of columns, which is also the distance of two rows in memory.
  Index cols() const { return cols_; }
  /// The number of floats, rows * cols.
  Index size() const { return rows_ * cols_; }
  /// The element of a row < rows() and column < cols(); not checked.
  float operator()(Index row, Index col) const { return data_[row * cols_ + col]; }

 private:
  const float* data_ = nullptr;
  Index rows_ = 0;
  Index cols_ = 0;
};

}  // namespace homolog::inline v0_1
