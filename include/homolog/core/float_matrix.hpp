// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The memory of features and similarities: floats on cache lines, and the matrix made of them.
///
/// An Eigen::Matrix is allocated and freed in a way that depends on the compiler's flags, so one
/// that crosses from a source with one set of compiler flags to a source with another ends in a
/// crash. These two own their memory in one way whatever the flags are, and show it to Eigen as a
/// view.

#include <Eigen/Core>
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <limits>
#include <new>
#include <utility>

#include "homolog/core/errors.hpp"
#include "homolog/core/matrix_view.hpp"

namespace homolog::inline v0_1 {

/// Read-only row-major view [rows, cols] of the cosine similarity of one query with every cell of a
/// target grid. Cells that show padding hold -infinity.
using SimilarityMap =
    Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

/// Floats on a boundary of 64 bytes, a cache line; grows, never shrinks.
///
/// It does without `std::unique_ptr`, whose header would take a twentieth of the time of
/// `<Eigen/Core>`.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  /// Takes the memory of `other`, which then has none.
  AlignedFloats(AlignedFloats&& other) noexcept
      : values_(std::exchange(other.values_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  /// The same, in place of its own.
  AlignedFloats& operator=(AlignedFloats&& other) noexcept {
    AlignedFloats taken(std::move(other));
    std::swap(values_, taken.values_);
    std::swap(size_, taken.size_);
    return *this;
  }
  ~AlignedFloats() { release(); }
  /// Returns room for at least `count` floats; the old values are lost when the memory has to grow.
  float* room(std::size_t count) {
    if (count > size_) {
      if (count > (std::numeric_limits<std::size_t>::max)() / sizeof(float)) throw std::bad_alloc();
      release();  // first, so that old and new memory never exist together
      values_ = static_cast<float*>(::operator new(count * sizeof(float), alignment));
      size_ = count;
    }
    return values_;
  }
  /// The first float; null where there was no room() yet.
  float* data() const { return values_; }

 private:
  static constexpr std::align_val_t alignment{64};
  void release() {
    ::operator delete(values_, alignment);
    values_ = nullptr;
    size_ = 0;
  }
  float* values_ = nullptr;
  std::size_t size_ = 0;
};

/// A row-major float32 matrix [rows, cols] that owns its memory, contiguous and on a boundary of 64
/// bytes: the storage of descriptors [N,D], feature maps [rows*cols,D] and similarities.
///
/// For arithmetic look at it through Eigen: `matrix.view() *= 2`, `matrix.view().setRandom()`.
class FloatMatrix {
 public:
  /// [rows], [cols] and places in them, as Eigen counts.
  using Index = std::ptrdiff_t;
  /// What view() shows.
  using View = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

  FloatMatrix() = default;
  /// A matrix whose elements all are `value`.
  ///
  /// @throws ShapeError for a negative side; std::bad_alloc when memory is short
  FloatMatrix(Index rows, Index cols, float value = 0) {
    resize(rows, cols);
    fill(value);
  }
  /// Copies a matrix or an expression of Eigen: `FloatMatrix turned = matrix.view().transpose();`
  template <class Derived>
  FloatMatrix(const Eigen::DenseBase<Derived>& values) {  // NOLINT(google-explicit-constructor)
    resize(values.rows(), values.cols());
    view() = values.derived();
  }
  /// A copy has memory of its own.
  FloatMatrix(const FloatMatrix& other) { *this = other; }
  /// Takes over the other's values and keeps its own memory where they fit.
  FloatMatrix& operator=(const FloatMatrix& other) {
    resize(other.rows_, other.cols_);
    std::copy_n(other.data(), other.size(), data());
    return *this;
  }
  /// Takes the memory of `other`, which is then empty.
  FloatMatrix(FloatMatrix&& other) noexcept { *this = std::move(other); }
  /// The same, in place of its own.
  FloatMatrix& operator=(FloatMatrix&& other) noexcept {
    memory_ = std::move(other.memory_);
    rows_ = std::exchange(other.rows_, 0);
    cols_ = std::exchange(other.cols_, 0);
    return *this;
  }
  ~FloatMatrix() = default;

  /// The number of rows.
  Index rows() const { return rows_; }
  /// The number of columns, which is also the distance of two rows in memory.
  Index cols() const { return cols_; }
  /// The number of elements, rows * cols.
  Index size() const { return rows_ * cols_; }
  /// The first element; the others follow row by row.
  float* data() { return memory_.data(); }
  /// The first element, read-only.
  const float* data() const { return memory_.data(); }
  /// Iterator to the first element, which it may change.
  float* begin() { return data(); }
  /// Iterator behind the last element.
  float* end() { return data() + size(); }
  /// Read-only iterator to the first element.
  const float* begin() const { return data(); }
  /// Read-only iterator behind the last element.
  const float* end() const { return data() + size(); }
  /// The element of a row < rows() and column < cols(), to be changed; not checked.
  float& operator()(Index row, Index col) { return data()[row * cols_ + col]; }
  /// The element of a row < rows() and column < cols(); not checked.
  float operator()(Index row, Index col) const { return data()[row * cols_ + col]; }

  /// Changes the shape and leaves the values unset; allocates only when the matrix becomes larger
  /// than ever before.
  ///
  /// @throws ShapeError for a negative side; std::bad_alloc when memory is short
  void resize(Index rows, Index cols) {
    if (rows < 0 || cols < 0) {
      throw ShapeError(detail::text("FloatMatrix: ", rows, " rows and ", cols,
                                    " columns, expected both at least 0"));
    }
    if (cols > 0 && rows > (std::numeric_limits<Index>::max)() / cols) throw std::bad_alloc();
    rows_ = cols_ = 0;  // in case the allocation throws
    memory_.room(static_cast<std::size_t>(rows * cols));
    rows_ = rows;
    cols_ = cols;
  }
  /// Sets all elements.
  void fill(float value) { std::fill_n(data(), size(), value); }

  /// The matrix for Eigen, without a copy; valid while it lives and keeps its shape.
  View view() { return {data(), rows_, cols_}; }
  /// The same, read-only.
  SimilarityMap view() const { return {data(), rows_, cols_}; }
  /// Converts to a view of descriptors.
  operator MatrixView() const {  // NOLINT(google-explicit-constructor)
    return {data(), rows_, cols_};
  }
  /// Converts to a similarity map.
  operator SimilarityMap() const { return view(); }  // NOLINT(google-explicit-constructor)
  /// One row [1,cols] for Eigen, to be changed. (`Float` is float; the type depends on it, so that
  /// only sources that call this compile it.)
  template <class Float = float>
  auto row(std::integral auto i) {
    return Eigen::Map<Eigen::Matrix<Float, 1, Eigen::Dynamic>>(
        data() + static_cast<Index>(i) * cols_, cols_);
  }
  /// One row [1,cols] for Eigen, read-only.
  template <class Float = float>
  auto row(std::integral auto i) const {
    return Eigen::Map<const Eigen::Matrix<Float, 1, Eigen::Dynamic>>(
        data() + static_cast<Index>(i) * cols_, cols_);
  }

  /// Equal when the shapes are and all elements are, exactly; a NaN equals nothing.
  friend bool operator==(const FloatMatrix& a, const FloatMatrix& b) {
    return a.rows_ == b.rows_ && a.cols_ == b.cols_ && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  AlignedFloats memory_;
  Index rows_ = 0;
  Index cols_ = 0;
};

namespace detail {

/// Row `i` of a row-major matrix or view. (Eigen's row() would also work, but every source that
/// includes it would have to instantiate Eigen's block expressions.)
template <class M>
auto* row_of(M& matrix, std::ptrdiff_t i) {
  return matrix.data() + i * matrix.cols();
}

}  // namespace detail
}  // namespace homolog::inline v0_1
