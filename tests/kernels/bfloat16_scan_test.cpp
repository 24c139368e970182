// SPDX-License-Identifier: Apache-2.0
#include "homolog/kernels/bfloat16_scan.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "homolog/kernels/normalize.hpp"
#include "support/random_features.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

/// What the float32 kernel answers.
std::vector<Peak> exact_peaks(const FloatMatrix& queries, const FeatureMap& target) {
  FloatMatrix similarity;
  similarity_rows(MatrixView(queries.data(), queries.rows(), queries.cols()), target, similarity);
  std::vector<Peak> peaks;
  for (Eigen::Index i = 0; i < queries.rows(); ++i) {
    peaks.push_back(find_peak(SimilarityMap(similarity.row(i).data(), target.rows, target.cols)));
  }
  return peaks;
}

void compare(const FloatMatrix& queries, const FeatureMap& target) {
  const auto expected = exact_peaks(queries, target);
  const MatrixView view(queries.data(), queries.rows(), queries.cols());
  for (const int threads : {1, 2, 3}) {
    for (const auto& found : {find_peaks(view, target, to_bfloat16(target), {threads}),
                              find_peaks(view, target, {threads})}) {
      REQUIRE(found.size() == expected.size());
      bool same = true;
      for (std::size_t i = 0; i < found.size(); ++i) {
        same = same && found[i].row == expected[i].row && found[i].col == expected[i].col &&
               found[i].value == expected[i].value;
      }
      CHECK(same);
    }
  }
}

}  // namespace

TEST_CASE("a scan in bfloat16 finds the float32 peak, bit for bit") {
  for (const int dim : {1, 2, 15, 31, 32, 33, 100, 384}) {
    for (const int count : {1, 3, 4, 7, 70, 300}) {
      FeatureMap target(7, 11, dim);
      target.values = random_rows(77, dim, static_cast<unsigned>(dim));
      FloatMatrix queries = random_rows(count, dim, static_cast<unsigned>(100 + count));
      normalize_rows(target.values);
      normalize_rows(queries);
      compare(queries, target);
    }
  }
}

TEST_CASE("cells that bfloat16 cannot tell apart are told apart in float32") {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> tiny(-1e-4F, 1e-4F);
  FeatureMap target(20, 20, 64);
  const FloatMatrix base = random_rows(1, 64, 5);
  target.values.view().rowwise() = base.row(0);
  for (float& value : target.values) value += tiny(random);
  normalize_rows(target.values);
  FloatMatrix queries(40, 64);
  for (Eigen::Index i = 0; i < 40; ++i) queries.row(i) = target.values.row(7 * i);
  compare(queries, target);
  target.values.view().rowwise() =
      FloatMatrix(target.values).row(0);  // all equal: the lowest index
  compare(queries, target);
}

TEST_CASE("scales from denormal to the largest, padding and bad cells") {
  for (const float scale : {1e-42F, 1e-25F, 1e-18F, 1.0F, 1e15F, 1e18F, 1e19F, 1e30F}) {
    CAPTURE(scale);
    FeatureMap target(6, 8, 40);
    target.values = random_rows(48, 40, 9).view() * scale;
    const FloatMatrix queries = random_rows(9, 40, 10).view() * (scale > 1e17F ? 1.0F : scale);
    compare(queries, target);
    target.content = {1, 2, 7, 5};
    compare(queries, target);
    target.values(20, 3) = std::numeric_limits<float>::quiet_NaN();
    target.values(21, 0) = std::numeric_limits<float>::infinity();
    target.values(22, 0) = 3.4e38F;  // rounds to infinity
    target.values(23, 39) = -std::numeric_limits<float>::infinity();
    compare(queries, target);
  }
}

TEST_CASE("an error of a scan names the query, and a map of another target is refused") {
  FeatureMap target(4, 5, 16);
  target.values = random_rows(20, 16, 1);
  FloatMatrix queries = random_rows(6, 16, 2);
  queries(4, 2) = std::numeric_limits<float>::quiet_NaN();
  const MatrixView view(queries.data(), 6, 16);
  CHECK_THROWS_WITH_AS(find_peaks(view, target, to_bfloat16(target)), doctest::Contains("query 4"),
                       ValueError);
  CHECK_THROWS_AS(find_peaks(MatrixView(queries.data(), 12, 8), target, to_bfloat16(target)),
                  ShapeError);
  const auto rounded = to_bfloat16(FeatureMap(3, 5, 16));
  if (rounded.stride > 0) CHECK_THROWS_AS(find_peaks(view, target, rounded), ShapeError);
  CHECK(find_peaks(MatrixView(nullptr, 0, 16), target, to_bfloat16(target)).empty());
}

TEST_CASE("without the instructions the float32 kernel answers") {
  FeatureMap target(4, 5, 16);
  target.values = random_rows(20, 16, 1);
  const FloatMatrix queries = random_rows(6, 16, 2);
  const MatrixView view(queries.data(), 6, 16);
  CHECK(to_bfloat16(target, InstructionSet::portable).stride == 0);
  const auto expected = exact_peaks(queries, target);
  const auto found = find_peaks(view, target, Bfloat16Map{});
  for (std::size_t i = 0; i < 6; ++i) CHECK(found[i].value == expected[i].value);
}
