// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/normalize.hpp"
#include "support/random_features.hpp"

namespace homolog::test {

inline SimilarityMap view(const FloatMatrix& map) { return map; }

/// Similarities uniform in [low, high].
inline FloatMatrix random_similarity(int rows, int cols, unsigned seed, float low = -1,
                                     float high = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(low, high);
  FloatMatrix map(rows, cols);
  for (float& value : map) value = uniform(random);
  return map;
}

/// Overwrites about a fraction of the cells, but never all of them.
inline void spoil(FloatMatrix& map, float value, double fraction, unsigned seed) {
  std::mt19937 random(seed);
  std::bernoulli_distribution hit(fraction);
  for (Eigen::Index i = 1; i < map.size(); ++i) {
    if (hit(random)) map.data()[i] = value;
  }
}

/// The centre of every content cell, row by row.
inline Points<GridFrame> all_cells(const FeatureMap& map) {
  Points<GridFrame> cells;
  for (int y = map.content.y1; y < map.content.y2; ++y) {
    for (int x = map.content.x1; x < map.content.x2; ++x) {
      cells.push_back({static_cast<double>(x), static_cast<double>(y)});
    }
  }
  return cells;
}

/// A float64 softmax of listed logits at listed positions: log-sum-exp first, then the mean.
struct ReferenceSoftmax {
  struct Entry {
    double x, y, logit;
  };
  std::vector<Entry> entries;

  Point<GridFrame> mean() const {
    double largest = -std::numeric_limits<double>::infinity();
    for (const Entry& entry : entries) largest = std::max(largest, entry.logit);
    double sum = 0;
    for (const Entry& entry : entries) sum += std::exp(entry.logit - largest);
    const double log_sum = largest + std::log(sum);
    Point<GridFrame> result;
    for (const Entry& entry : entries) {
      const double probability = std::exp(entry.logit - log_sum);
      result.x += entry.x * probability;
      result.y += entry.y * probability;
    }
    return result;
  }
};

/// Row-major index of the first largest finite value, found by a scan from the back.
inline Eigen::Index reference_argmax(const FloatMatrix& map) {
  Eigen::Index best = -1;
  for (Eigen::Index i = map.size() - 1; i >= 0; --i) {
    if (std::isfinite(map.data()[i]) && (best < 0 || map.data()[i] >= map.data()[best])) best = i;
  }
  return best;
}

inline void check_near(Point<GridFrame> got, Point<GridFrame> expected, double tolerance = 1e-4) {
  CHECK(std::abs(got.x - expected.x) <= tolerance);
  CHECK(std::abs(got.y - expected.y) <= tolerance);
}

}  // namespace homolog::test
