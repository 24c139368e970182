// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <limits>
#include <random>

#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/normalize.hpp"

namespace homolog::test {

inline constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
inline constexpr float infinity = std::numeric_limits<float>::infinity();

inline MatrixView view_of(const FloatMatrix& rows) {
  return {rows.data(), rows.rows(), rows.cols()};
}

/// Normally distributed.
inline FloatMatrix random_rows(Eigen::Index rows, Eigen::Index dim, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  FloatMatrix values(rows, dim);
  for (float& value : values) value = normal(random);
  return values;
}

inline FloatMatrix random_unit_rows(Eigen::Index rows, Eigen::Index dim, unsigned seed) {
  FloatMatrix values = random_rows(rows, dim, seed);
  normalize_rows(values);
  return values;
}

inline FeatureMap random_map(int rows, int cols, int dim, unsigned seed) {
  FeatureMap map(rows, cols, dim);
  map.values = random_rows(map.values.rows(), dim, seed);
  return map;
}

inline FeatureMap random_unit_map(int rows, int cols, int dim, unsigned seed) {
  FeatureMap map(rows, cols, dim);
  map.values = random_unit_rows(map.values.rows(), dim, seed);
  return map;
}

}  // namespace homolog::test
