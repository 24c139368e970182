// SPDX-License-Identifier: Apache-2.0
#include "homolog/kernels/similarity.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "homolog/kernels/normalize.hpp"
#include "homolog/kernels/peak.hpp"
#include "support/random_features.hpp"

using namespace homolog;
using namespace homolog::test;

TEST_CASE("similarities are dot products, at every dimension and number of queries") {
  for (const int dim : {1, 2, 7, 8, 9, 31, 64, 193}) {
    for (const int count : {1, 2, 3, 4, 5, 11}) {
      const FeatureMap target = random_unit_map(3, 67, dim, 1);  // wider than one strip of cells
      const FloatMatrix queries = random_unit_rows(count, dim, 2);
      FloatMatrix out;
      similarity_rows(view_of(queries), target, out);
      REQUIRE(out.rows() == count);
      REQUIRE(out.cols() == target.cells());
      double worst = 0;
      for (Eigen::Index q = 0; q < count; ++q) {
        for (Eigen::Index cell = 0; cell < out.cols(); ++cell) {
          double exact = 0;
          for (Eigen::Index k = dim - 1; k >= 0; --k) {
            exact +=
                static_cast<double>(queries(q, k)) * static_cast<double>(target.values(cell, k));
          }
          worst = std::max(worst, std::abs(exact - static_cast<double>(out(q, cell))));
        }
      }
      CHECK(worst < 1e-6);
    }
  }
}

TEST_CASE("cells with equal features have equal similarities to the last bit: the first wins") {
  for (const int dim : {5, 48, 384, 771}) {
    for (const int cols : {1, 3, 5, 13, 37}) {
      const FloatMatrix feature = random_unit_rows(1, dim, 3);
      FeatureMap target(3, cols, dim);
      target.values.view().rowwise() = feature.row(0);
      const FloatMatrix queries = random_unit_rows(6, dim, 4);
      FloatMatrix out;
      similarity_rows(view_of(queries), target, out);
      for (Eigen::Index q = 0; q < out.rows(); ++q) {
        CHECK(out.row(q).minCoeff() == out.row(q).maxCoeff());
        const Peak peak = find_peak(SimilarityMap(out.row(q).data(), 3, cols));
        CHECK(peak.row == 0);
        CHECK(peak.col == 0);
      }
    }
  }
}

TEST_CASE("a query's similarities do not depend on the queries beside it") {
  const FeatureMap target = random_unit_map(5, 9, 50, 5);
  const FloatMatrix queries = random_unit_rows(10, 50, 6);
  FloatMatrix together, alone;
  similarity_rows(view_of(queries), target, together);
  for (Eigen::Index q = 0; q < queries.rows(); ++q) {
    similarity_rows(MatrixView(queries.row(q).data(), 1, 50), target, alone);
    CHECK((alone.row(0) - together.row(q)).cwiseAbs().maxCoeff() < 1e-6F);
  }
}

TEST_CASE("padding cells are minus infinity, whatever they hold") {
  FeatureMap target = random_unit_map(4, 5, 8, 7);
  target.content = {1, 1, 4, 3};
  const FloatMatrix queries = random_unit_rows(3, 8, 8);
  FloatMatrix out;
  similarity_rows(view_of(queries), target, out);
  for (int row = 0; row < 4; ++row) {
    for (int col = 0; col < 5; ++col) {
      for (Eigen::Index q = 0; q < 3; ++q) {
        CHECK(std::isfinite(out(q, row * 5 + col)) == target.content.contains(col, row));
        CHECK((std::isfinite(out(q, row * 5 + col)) || out(q, row * 5 + col) == -infinity));
      }
    }
  }
}

TEST_CASE("cells with NaN or infinity become minus infinity and touch no other cell") {
  for (const float bad : {not_a_number, infinity, -infinity}) {
    const FeatureMap clean = random_unit_map(3, 4, 11, 9);
    FeatureMap target = clean;
    target.values(5, 2) = bad;
    normalize_rows(target.values);
    const FloatMatrix queries = random_unit_rows(5, 11, 10);
    FloatMatrix out, expected;
    similarity_rows(view_of(queries), target, out);
    similarity_rows(view_of(queries), clean, expected);
    for (Eigen::Index q = 0; q < 5; ++q) {
      CHECK(out(q, 5) == -infinity);
      out(q, 5) = expected(q, 5);
    }
    CHECK((out.view() - expected.view()).cwiseAbs().maxCoeff() < 1e-6F);
  }
}

TEST_CASE("a query without a finite similarity is named") {
  const FeatureMap target = random_unit_map(3, 4, 6, 11);
  FloatMatrix queries = random_unit_rows(7, 6, 12), out;
  queries(5, 3) = not_a_number;
  CHECK_THROWS_WITH_AS(similarity_rows(view_of(queries), target, out),
                       doctest::Contains("query 5: no similarity"), ValueError);
  FeatureMap dead = target;
  dead.values.fill(not_a_number);
  CHECK_THROWS_WITH_AS(similarity_rows(view_of(queries), dead, out), doctest::Contains("query 0"),
                       ValueError);
}

TEST_CASE("shapes that contradict each other are refused") {
  FeatureMap target = random_unit_map(3, 4, 6, 13);
  FloatMatrix out;
  const FloatMatrix other = random_unit_rows(2, 5, 14), right = random_unit_rows(2, 6, 15);
  CHECK_THROWS_WITH_AS(similarity_rows(view_of(other), target, out),
                       "similarity_rows: queries [2, 5] against a target map of dimension 6",
                       ShapeError);
  target.content = {0, 0, 5, 3};
  CHECK_THROWS_AS(similarity_rows(view_of(right), target, out), ShapeError);
  target.content = {0, 0, 4, 3};
  target.cols = 3;
  CHECK_THROWS_AS(similarity_rows(view_of(right), target, out), ShapeError);
  CHECK_THROWS_AS(similarity_rows(MatrixView(nullptr, 0, 0), FeatureMap(2, 2, 0), out), ShapeError);
  target.cols = 4;
  similarity_rows(MatrixView(nullptr, 0, 6), target, out);
  CHECK(out.rows() == 0);
}

TEST_CASE("a zero feature has cosine zero with everything") {
  FeatureMap target = random_unit_map(2, 3, 4, 16);
  target.cell(1, 1).setZero();
  FloatMatrix out;
  const FloatMatrix queries = random_unit_rows(2, 4, 17);
  similarity_rows(view_of(queries), target, out);
  CHECK(out(0, 4) == 0);
  CHECK(out(1, 4) == 0);
}
