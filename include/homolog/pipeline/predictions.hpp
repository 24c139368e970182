// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What a pipeline answered on a data set, before any metric.

#include <cstddef>
#include <utility>
#include <vector>

#include "homolog/core/metric_concept.hpp"
#include "homolog/core/points.hpp"

namespace homolog::inline v0_1 {

/// One pair's prediction.
struct PairResult {
  Points<ImageFrame> predicted;  ///< [N,2] pixels of the target picture, never outside its edges
  Points<ImageFrame> truth;      ///< [N,2] pixels of the target picture
  std::vector<float> scores;     ///< [N] cosine similarity at the peak
  std::vector<bool> mutual;      ///< [N] false where a mutual check was made and failed
  std::vector<float> margins;    ///< [N] see find_margins(); empty unless the setting asks for them
  PairErrors errors;             ///< distances [N] and the length s, all that a metric reads
};

/// Seconds spent, by stage.
struct EvaluationSeconds {
  double decode = 0;    ///< reading and decoding pictures
  double backbone = 0;  ///< resizing and the forward
  double match = 0;     ///< similarities, the matcher and the exchange of its answers
  double total = 0;     ///< all stages, data checks and waiting included; not the metrics
};

/// The answers to a data set's pairs, with the work and the time that they took.
struct Predictions {
  std::vector<PairResult> pairs;      ///< in the data set's order
  std::size_t distinct_images = 0;    ///< by path (and flip)
  std::size_t backbone_forwards = 0;  ///< pictures whose maps a backbone or source gave
  EvaluationSeconds seconds;          ///< wall time of this process
};

/// The errors of all pairs, as a metric reads them.
inline std::vector<PairErrors> errors_of(const std::vector<PairResult>& pairs) {
  std::vector<PairErrors> errors;
  errors.reserve(pairs.size());
  for (const PairResult& pair : pairs) errors.push_back(pair.errors);
  return errors;
}

/// The errors of the mutual answers, of the pairs that have any.
inline std::vector<PairErrors> mutual_errors_of(const std::vector<PairResult>& pairs) {
  std::vector<PairErrors> result;
  for (const PairResult& pair : pairs) {
    PairErrors errors{{}, pair.errors.threshold_scale};
    for (std::size_t n = 0; n < pair.mutual.size(); ++n) {
      if (pair.mutual[n]) errors.distances.push_back(pair.errors.distances[n]);
    }
    if (!errors.distances.empty()) result.push_back(std::move(errors));
  }
  return result;
}

}  // namespace homolog::inline v0_1
