// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/matrix_view.hpp"

#include <doctest/doctest.h>

#include <Eigen/Core>
#include <array>
#include <span>
#include <type_traits>
#include <vector>

#include "homolog/core/float_matrix.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/match_queries.hpp"

using namespace homolog;

namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Fixed = Eigen::Matrix<float, 3, 4, Eigen::RowMajor>;
using Product = decltype(RowMajor() * RowMajor());
using Sum = decltype(RowMajor() + RowMajor());

template <class From>
constexpr bool taken = std::is_convertible_v<From, MatrixView>;
static_assert(taken<RowMajor> && taken<Fixed> && taken<Eigen::Map<RowMajor>> &&
              taken<Eigen::Map<const RowMajor>> && taken<Eigen::RowVectorXf> &&
              taken<Eigen::Ref<RowMajor>> && taken<FloatMatrix> && taken<SimilarityMap>);
// Columns one behind the other, other numbers, and what has no memory yet.
static_assert(!taken<Eigen::MatrixXf> && !taken<Eigen::VectorXf> &&
              !taken<Eigen::Map<Eigen::MatrixXf>> &&
              !taken<Eigen::Matrix<double, 2, 2, Eigen::RowMajor>> && !taken<Product> &&
              !taken<Sum> && !taken<decltype(RowMajor().transpose())> &&
              !taken<std::vector<float>>);

}  // namespace

TEST_CASE("whatever holds rows of floats is seen where it lies") {
  std::vector<float> values(12);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const Eigen::Map<RowMajor> map(values.data(), 3, 4);
  const RowMajor matrix = map;
  const FloatMatrix own = map;
  const std::span<const float> span(values);
  std::vector<float> mine(values.begin(), values.end());
  const MatrixView of_mine(std::span<float>(mine), 1);
  CHECK(of_mine.data() == mine.data());
  for (const MatrixView view :
       {MatrixView(values.data(), 3, 4), MatrixView(values, 4), MatrixView(span, 4),
        MatrixView(map), MatrixView(matrix), MatrixView(own), MatrixView(own.view())}) {
    CHECK(view.rows() == 3);
    CHECK(view.cols() == 4);
    CHECK(view.size() == 12);
    for (int row = 0; row < 3; ++row) {
      for (int col = 0; col < 4; ++col) CHECK(view(row, col) == map(row, col));
    }
  }
  CHECK(MatrixView(map).data() == values.data());
  CHECK(MatrixView(std::array<float, 2>{}, 2).rows() == 1);
  CHECK(MatrixView(std::vector<float>{}, 7).rows() == 0);
  CHECK(MatrixView().size() == 0);
}

TEST_CASE("memory with gaps, and a number of floats that fills no rows, are refused") {
  RowMajor matrix(5, 8);
  CHECK_NOTHROW(MatrixView(matrix.topRows(3)));
  CHECK_THROWS_WITH_AS(MatrixView(matrix.leftCols(3)),
                       "matrix view: rows begin 8 floats apart and elements 1, expected 3 and 1, "
                       "without a gap; copy the matrix",
                       ShapeError);
  CHECK_NOTHROW(MatrixView(matrix.row(2).leftCols(3)));
  const std::vector<float> values(12);
  CHECK_THROWS_WITH_AS(MatrixView(values, 5), "matrix view: 12 floats, expected a multiple of 5",
                       ShapeError);
  CHECK_THROWS_AS(MatrixView(values, 0), ShapeError);
}

TEST_CASE("a user's own matrix is matched without a copy") {
  FeatureMap target(2, 2, 2);
  target.values(1, 0) = target.values(2, 1) = 1;
  RowMajor queries(2, 2);
  queries << 1, 0, 0, 1;
  const auto matches = match_descriptors(Argmax{}, queries, target);
  CHECK(matches[0].cell == Point<GridFrame>{1, 0});
  CHECK(matches[1].cell == Point<GridFrame>{0, 1});
}
