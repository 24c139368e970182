// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/match_queries.hpp"

/// A map of unit features, the same each time.
inline homolog::FeatureMap unit_map(int rows, int cols, int dim, std::uint32_t seed) {
  homolog::FeatureMap map(rows, cols, dim);
  float* const values = map.values.data();
  const auto count = static_cast<std::size_t>(dim);
  for (std::size_t cell = 0; cell < static_cast<std::size_t>(map.cells()); ++cell) {
    float* const feature = values + cell * count;
    float sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      seed = seed * 1664525U + 1013904223U;
      feature[i] = static_cast<float>(seed >> 8U) / 8388608.0F - 1;
      sum += feature[i] * feature[i];
    }
    for (std::size_t i = 0; i < count; ++i) feature[i] /= std::sqrt(sum);
  }
  return map;
}

/// The cells that a matcher answers for the features of one map in another.
template <class M>
std::vector<homolog::Match> answers(const M& matcher, int threads) {
  const homolog::FeatureMap source = unit_map(32, 40, 48, 1), target = unit_map(24, 24, 48, 2);
  return homolog::match_descriptors(matcher, source.descriptors(), target, {threads});
}

inline bool same(const std::vector<homolog::Match>& a, const std::vector<homolog::Match>& b) {
  bool equal = a.size() == b.size() && !a.empty();
  for (std::size_t i = 0; equal && i < a.size(); ++i) {
    equal = a[i].cell.x == b[i].cell.x && a[i].cell.y == b[i].cell.y && a[i].score == b[i].score;
  }
  return equal;
}

/// Whether several threads answer as one does.
inline bool matches_right() {
  return same(answers(homolog::Argmax{}, 4), answers(homolog::Argmax{}, 1));
}
