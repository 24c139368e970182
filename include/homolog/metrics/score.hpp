// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Any metrics at any thresholds, from the errors of a data set's pairs.

#include <array>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "homolog/core/metric_concept.hpp"
#include "homolog/metrics/pck.hpp"

namespace homolog::inline v0_1 {

/// Scores pairs with each of some metrics at each alpha.
///
/// @return one list a metric, in the order of `alphas`
/// @throws what the metrics throw: ValueError when there is no pair
template <Metric... M>
std::array<std::vector<double>, sizeof...(M)> score(std::span<const PairErrors> pairs,
                                                    std::span<const double> alphas,
                                                    const M&... metrics) {
  std::array<std::vector<double>, sizeof...(M)> scores;
  for (const double alpha : alphas) {
    std::size_t place = 0;
    (scores[place++].push_back(metrics(pairs, alpha)), ...);
  }
  return scores;
}

/// PCK of a set of pairs, both aggregations, as fractions in the order of the alphas.
struct PckScores {
  std::size_t pairs = 0;          ///< scored
  std::size_t points = 0;         ///< keypoints of these pairs
  std::vector<double> per_point;  ///< correct over all keypoints, see PckPerPoint
  std::vector<double> per_image;  ///< mean over pairs of each one's fraction, see PckPerImage
};

/// Both PCKs of some pairs; no scores where there is no pair.
///
/// @throws what PckPerPoint and PckPerImage throw
inline PckScores pck_scores(std::span<const PairErrors> pairs, std::span<const double> alphas) {
  PckScores scores;
  scores.pairs = pairs.size();
  for (const PairErrors& pair : pairs) scores.points += pair.distances.size();
  if (pairs.empty()) return scores;
  auto [per_point, per_image] = score(pairs, alphas, PckPerPoint{}, PckPerImage{});
  scores.per_point = std::move(per_point);
  scores.per_image = std::move(per_image);
  return scores;
}

}  // namespace homolog::inline v0_1
