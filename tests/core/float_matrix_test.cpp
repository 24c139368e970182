// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/float_matrix.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <new>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"

using namespace homolog;

namespace {

bool on_a_cache_line(const float* values) {
  return reinterpret_cast<std::uintptr_t>(values) % 64 == 0;
}

FloatMatrix counted(FloatMatrix::Index rows, FloatMatrix::Index cols) {
  FloatMatrix matrix(rows, cols);
  float next = 0;
  for (float& value : matrix) value = next++;
  return matrix;
}

}  // namespace

static_assert(std::ranges::contiguous_range<FloatMatrix>);
static_assert(std::is_nothrow_move_constructible_v<FloatMatrix>);
static_assert(std::is_nothrow_move_assignable_v<FloatMatrix>);
static_assert(!std::is_copy_constructible_v<AlignedFloats>);

TEST_CASE("elements are zero or as asked, row-major, on a boundary of 64 bytes") {
  for (int rows = 1; rows < 20; ++rows) {
    const FloatMatrix zeros(rows, 7), sevens(rows, 7, 7);
    CHECK(on_a_cache_line(zeros.data()));
    CHECK(on_a_cache_line(sevens.data()));
    CHECK(zeros.size() == rows * 7);
    for (const float value : zeros) CHECK(value == 0);
    for (const float value : sevens) CHECK(value == 7);
  }
  const FloatMatrix matrix = counted(3, 4);
  CHECK(matrix(0, 3) == 3);
  CHECK(matrix(2, 1) == 9);
  CHECK(matrix.data() + 4 == matrix.row(1).data());
  CHECK(matrix.row(2)[3] == 11);
}

TEST_CASE("a copy has its own memory, a move takes it and leaves an empty matrix") {
  FloatMatrix matrix = counted(5, 6);
  const FloatMatrix copy = matrix;
  CHECK(copy == matrix);
  CHECK(copy.data() != matrix.data());
  CHECK(on_a_cache_line(copy.data()));
  const float* const memory = matrix.data();
  FloatMatrix moved = std::move(matrix);
  CHECK(moved.data() == memory);
  CHECK(moved == copy);
  CHECK(matrix.size() == 0);  // NOLINT(bugprone-use-after-move)
  CHECK(matrix.data() == nullptr);
  matrix.resize(2, 2);
  matrix.fill(1);
  matrix = std::move(moved);
  CHECK(matrix.data() == memory);
  CHECK(matrix == copy);
  FloatMatrix& itself = matrix;
  matrix = itself;
  CHECK(matrix == copy);

  std::vector<FloatMatrix> many;
  for (int i = 0; i < 40; ++i) many.push_back(counted(i, 3));
  for (int i = 0; i < 40; ++i) CHECK(many[static_cast<std::size_t>(i)] == counted(i, 3));
}

TEST_CASE("a matrix that shrinks and grows again within its largest size allocates nothing") {
  FloatMatrix matrix(20, 30);
  const float* const memory = matrix.data();
  matrix.resize(3, 4);
  CHECK(matrix.rows() == 3);
  CHECK(matrix.cols() == 4);
  matrix.resize(60, 10);
  CHECK(matrix.data() == memory);
  matrix = counted(2, 300);
  const FloatMatrix small = counted(2, 3);
  const float* const taken = matrix.data();
  matrix = small;
  CHECK(matrix.data() == taken);
  CHECK(matrix == small);
}

TEST_CASE("Eigen sees the same memory, and its expressions are copied") {
  FloatMatrix matrix = counted(3, 4);
  matrix.view() *= 2;
  CHECK(matrix(2, 3) == 22);
  matrix.row(1).setConstant(5);
  CHECK(matrix(1, 0) == 5);
  const FloatMatrix turned = matrix.view().transpose();
  CHECK(turned.rows() == 4);
  CHECK(turned(3, 2) == 22);
  matrix = matrix.view().transpose();  // its own memory is read after the copy was made
  CHECK(matrix == turned);
  const Eigen::MatrixXf column_major = Eigen::MatrixXf::Random(6, 3);
  matrix = column_major;
  for (int row = 0; row < 6; ++row) {
    for (int col = 0; col < 3; ++col) CHECK(matrix(row, col) == column_major(row, col));
  }
  const MatrixView view = matrix;
  CHECK(view.data() == matrix.data());
  CHECK(view.rows() == 6);
  CHECK(view.cols() == 3);
}

TEST_CASE("equal shapes and values are equal, NaN is not") {
  FloatMatrix matrix = counted(2, 6);
  CHECK(matrix == counted(2, 6));
  CHECK(matrix != counted(3, 4));
  CHECK(FloatMatrix() == FloatMatrix(0, 0));
  CHECK(FloatMatrix(0, 3) != FloatMatrix(3, 0));
  matrix(1, 1) = std::nanf("");
  CHECK(matrix != FloatMatrix(matrix));
}

TEST_CASE("sides below 0 and sizes that no memory holds are errors, and leave an empty matrix") {
  FloatMatrix matrix = counted(2, 2);
  CHECK_THROWS_WITH_AS(matrix.resize(-1, 5),
                       "FloatMatrix: -1 rows and 5 columns, expected both at least 0", ShapeError);
  CHECK(matrix == counted(2, 2));
  CHECK_THROWS_AS(FloatMatrix(3, -2), ShapeError);
  constexpr auto most = std::numeric_limits<FloatMatrix::Index>::max();
  CHECK_THROWS_AS(matrix.resize(most, 2), std::bad_alloc);
  CHECK_THROWS_AS(matrix.resize(most, 1), std::bad_alloc);
  CHECK(matrix.size() == 0);
  matrix = counted(2, 2);
  CHECK(matrix == counted(2, 2));
}
