// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Scores a pipeline on a data set: predict(), then metrics.

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/decimal_number.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/core/metric_concept.hpp"
#include "homolog/core/shard.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/metrics/score.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/pipeline/predict.hpp"

namespace homolog::inline v0_1 {

/// How an evaluation runs, and at which thresholds it scores.
struct EvaluateSetting : PredictSetting {
  std::vector<double> alphas{0.05, 0.1, 0.2};  ///< PCK thresholds as fractions of s, each > 0
};

/// All that an evaluation measured.
struct Evaluation : Predictions {
  std::vector<double> alphas;                     ///< as set; every list of scores is in this order
  PckScores total;                                ///< of all pairs
  std::map<std::string, PckScores> per_category;  ///< of the pairs of each category, by its name
  std::vector<double> metric;                     ///< the pipeline's own metric at each alpha
  /// Scores of the mutual answers alone, over the pairs that have any. Nothing when the matcher
  /// makes no mutual check (checks_mutual()); without scores when no answer is mutual.
  std::optional<PckScores> mutual;
};

namespace detail {

inline void require_valid_alphas(const std::vector<double>& alphas) {
  if (alphas.empty()) throw SettingError("evaluate: no alpha was given");
  for (auto alpha = alphas.begin(); alpha != alphas.end(); ++alpha) {
    if (!(*alpha > 0 && *alpha < 1e6)) {
      throw SettingError(text("evaluate: alpha ", *alpha, " is not a positive number below 1e6"));
    }
    if (std::find(alphas.begin(), alpha, *alpha) != alpha) {
      throw SettingError(text("evaluate: alpha ", *alpha, " was given twice"));
    }
  }
}

inline std::string alphas_text(const std::vector<double>& alphas) {
  std::string line;
  for (const double alpha : alphas) line += decimal_text(alpha) + '|';
  return line;
}

}  // namespace detail

/// Scores every pair of a data set.
///
/// A keypoint is correct when distance <= alpha * s, in pixels of the decoded target picture; the
/// data set's norm (Dataset::norm) gives s. Both aggregations are always computed, beside the
/// pipeline's metric.
///
/// @throws SettingError for an alpha that is not positive, is given twice or differs between
/// processes; what predict() throws, before any score is given
template <class P, class M, class S>
Evaluation evaluate(const Pipeline<P, M, S>& pipeline, const Dataset& dataset,
                    const EvaluateSetting& setting = EvaluateSetting()) {
  detail::require_valid_alphas(setting.alphas);
  require_valid(setting.shard, "evaluate");
  require_agreement(setting.shard, detail::alphas_text(setting.alphas), "evaluate");
  Evaluation result{predict(pipeline, dataset, setting), setting.alphas, {}, {}, {}, {}};
  const std::vector<PairErrors> all = errors_of(result.pairs);
  std::map<std::string, std::vector<PairErrors>> of_category;
  for (std::size_t i = 0; i < all.size(); ++i) {
    of_category[dataset.pairs[i].category].push_back(all[i]);
  }
  result.total = pck_scores(all, setting.alphas);
  for (const auto& [category, errors] : of_category) {
    result.per_category[category] = pck_scores(errors, setting.alphas);
  }
  if constexpr (checks_mutual<M>()) {
    result.mutual = pck_scores(mutual_errors_of(result.pairs), setting.alphas);
  }
  result.metric = std::move(score(all, setting.alphas, pipeline.metric)[0]);
  return result;
}

}  // namespace homolog::inline v0_1
