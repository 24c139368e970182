// SPDX-License-Identifier: Apache-2.0
#include "homolog/kernels/normalize.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

using namespace homolog;

namespace {

double norm_of(const FloatMatrix& values, Eigen::Index row) {
  double sum = 0;
  for (Eigen::Index k = 0; k < values.cols(); ++k) {
    sum += std::pow(static_cast<double>(values(row, k)), 2);
  }
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("every row of ordinary values gets norm one and keeps its direction") {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  FloatMatrix values(40, 37);
  for (float& value : values) value = normal(random) * 20;
  const FloatMatrix before = values;
  normalize_rows(values);
  for (Eigen::Index i = 0; i < values.rows(); ++i) {
    CHECK(norm_of(values, i) == doctest::Approx(1).epsilon(1e-6));
    const double scale = norm_of(before, i);
    for (Eigen::Index k = 0; k < values.cols(); ++k) {
      CHECK(values(i, k) ==
            doctest::Approx(static_cast<double>(before(i, k)) / scale).epsilon(1e-6));
    }
  }
}

TEST_CASE("values of torch.nn.functional.normalize") {
  FloatMatrix values(3, 2);
  values.view() << 3, 4, 0, 0, 3e-13F, 4e-13F;  // the last norm, 5e-13, is below 1e-12
  normalize_rows(values);
  CHECK(values(0, 0) == doctest::Approx(0.6));
  CHECK(values(0, 1) == doctest::Approx(0.8));
  CHECK(values(1, 0) == 0);
  CHECK(values(1, 1) == 0);
  CHECK(values(2, 0) == doctest::Approx(0.3));
  CHECK(values(2, 1) == doctest::Approx(0.4));
}

TEST_CASE("the largest float32 values do not overflow, denormal ones do not divide by zero") {
  const float largest = std::numeric_limits<float>::max();
  const float denormal = std::numeric_limits<float>::denorm_min();
  FloatMatrix values(2, 4);
  values.view() << largest, -largest, largest, -largest, denormal, 0, 0, denormal;
  normalize_rows(values);
  CHECK(values(0, 0) == doctest::Approx(0.5));
  CHECK(values(0, 1) == doctest::Approx(-0.5));
  CHECK(values.row(1).allFinite());
  CHECK(values.row(1).cwiseAbs().maxCoeff() < 1e-30F);
}

TEST_CASE("a row with NaN or infinity has no finite product with any feature, the others stay") {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity}) {
    FloatMatrix values(3, 4, 1);
    values(1, 2) = bad;
    normalize_rows(values);
    const Eigen::VectorXf with_ones = values.view() * Eigen::VectorXf::Ones(4);
    const Eigen::VectorXf with_zeros = values.view() * Eigen::VectorXf::Zero(4);
    CHECK(std::isnan(with_ones[1]));
    CHECK(std::isnan(with_zeros[1]));
    CHECK(with_ones[0] == doctest::Approx(2));
    CHECK(with_ones[2] == doctest::Approx(2));
  }
}

TEST_CASE("nothing to normalise is no error") {
  FloatMatrix none(0, 5), empty(3, 0);
  normalize_rows(none);
  normalize_rows(empty);
  CHECK(none.rows() == 0);
  CHECK(empty.rows() == 3);
}
