// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Scores a pipeline on a data set. Each distinct picture is decoded and forwarded exactly once,
/// however many pairs it stands in, and all queries of a target are matched in one call.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/datasets/dataset.hpp"
#include "homolog/pipeline/detail/evaluation_passes.hpp"
#include "homolog/pipeline/pipeline.hpp"

namespace homolog {

/// How an evaluation runs; none of these changes a score.
struct EvaluateSetting {
  std::vector<double> alphas{0.05, 0.1, 0.2};
  int batch_size = 4;                               ///< pictures a backbone call
  std::size_t cache_memory = std::size_t{2} << 30;  ///< [bytes] of features kept in memory
  /// Called with the stage ("features" or "matching"), pictures or pairs done, and their number.
  std::function<void(std::string_view stage, std::size_t done, std::size_t total)> progress;
};

/// One pair's prediction.
struct PairResult {
  Points<ImageFrame> predicted;  ///< [N,2] pixels of the target picture
  Points<ImageFrame> truth;      ///< [N,2] pixels of the target picture
  std::vector<float> scores;     ///< [N]
  PairErrors errors;
};

/// PCK of a set of pairs, both aggregations, as fractions in the order of Evaluation::alphas.
struct PckScores {
  std::size_t pairs = 0;
  std::size_t points = 0;
  std::vector<double> per_point;
  std::vector<double> per_image;
};

/// Seconds spent, by stage.
struct EvaluationSeconds {
  double decode = 0;    ///< reading and decoding pictures
  double backbone = 0;  ///< resizing and the forward
  double match = 0;
  double total = 0;
};

/// All that an evaluation measured.
struct Evaluation {
  std::vector<double> alphas;
  PckScores total;
  std::map<std::string, PckScores> per_category;
  std::vector<double> metric;         ///< the pipeline's own metric at each alpha
  std::size_t distinct_images = 0;    ///< by path (and flip)
  std::size_t backbone_forwards = 0;  ///< pictures that went through the backbone
  EvaluationSeconds seconds;
  std::vector<PairResult> pairs;  ///< in the data set's order
};

namespace detail {

inline PckScores pck_scores(const std::vector<PairErrors>& errors,
                            const std::vector<double>& alphas) {
  PckScores scores;
  scores.pairs = errors.size();
  for (const PairErrors& pair : errors) scores.points += pair.distances.size();
  for (const double alpha : alphas) {
    scores.per_point.push_back(PckPerPoint{}(errors, alpha));
    scores.per_image.push_back(PckPerImage{}(errors, alpha));
  }
  return scores;
}

inline PairResult pair_result(const Pair& pair, ThresholdNorm norm, bool flip,
                              const FrameTransform& target, const std::vector<Match>& matches) {
  const Size size = target.image.image;
  PairResult result;
  MatchResult found = to_image_points(matches, target);
  result.predicted = std::move(found.points);
  result.scores = std::move(found.scores);
  result.truth = flip ? flip_points(pair.target_keypoints, size.width) : pair.target_keypoints;
  result.errors.threshold_scale = threshold_scale(pair, norm, size);
  for (std::size_t n = 0; n < result.truth.size(); ++n) {
    result.errors.distances.push_back(distance(result.predicted[n], result.truth[n]));
  }
  return result;
}

inline void require_valid(const EvaluateSetting& setting, const Dataset& dataset) {
  if (setting.batch_size < 1) throw SettingError("evaluate: the batch size must be at least 1");
  if (setting.alphas.empty()) throw SettingError("evaluate: no alpha was given");
  for (const double alpha : setting.alphas) {
    if (!(alpha > 0 && alpha < 1e6)) {
      throw SettingError(text("evaluate: alpha ", alpha, " is not a positive number"));
    }
  }
  if (dataset.pairs.empty()) throw DatasetError(dataset.name + ": no pairs to evaluate");
}

}  // namespace detail

/// Scores every pair of a data set.
///
/// Correct means distance <= alpha * s, in pixels of the target picture as decoded; s by the data
/// set's norm (Dataset::norm). Both aggregations are always computed, beside the pipeline's metric.
///
/// @throws DatasetError, PointError, ImageError, FileError for bad data, before any score is given;
/// SettingError for an alpha that is not positive or a batch size below 1
template <class B, class M, class S>
Evaluation evaluate(const Pipeline<B, M, S>& pipeline, const Dataset& dataset,
                    const EvaluateSetting& setting = {}) {
  detail::require_valid(setting, dataset);
  const auto report = [&setting](std::string_view stage, std::size_t done, std::size_t total) {
    if (setting.progress) setting.progress(stage, done, total);
  };
  const std::size_t pair_count = dataset.pairs.size();
  Evaluation result;
  result.alphas = setting.alphas;
  result.pairs.resize(pair_count);
  {
    const detail::Stopwatch total(result.seconds.total);
    detail::PictureTable table = detail::make_picture_table(dataset);
    result.distinct_images = table.pictures.size();
    const auto by_input_size = [&] {
      const detail::Stopwatch decode(result.seconds.decode);
      return detail::read_sizes(pipeline, dataset, table);
    }();

    FeatureStore store(setting.cache_memory);
    detail::QueryTable queries{std::vector<Points<GridFrame>>(pair_count),
                               std::vector<FloatMatrix>(pair_count)};
    std::size_t done = 0;
    for (const auto& [input, pictures] : by_input_size) {
      const std::span<const std::size_t> all(pictures);
      for (std::size_t begin = 0; begin < all.size();) {
        const auto members = all.subspan(
            begin, std::min(all.size() - begin, static_cast<std::size_t>(setting.batch_size)));
        auto maps = detail::batch_features(pipeline, table, members, result.seconds.decode,
                                           result.seconds.backbone);
        if (needs_features<M>()) result.backbone_forwards += maps.size();
        for (std::size_t k = 0; k < members.size(); ++k) {
          detail::keep_features<M>(table, members[k], dataset, pipeline.setting.query,
                                   std::move(maps[k]), queries, store);
        }
        begin += members.size();
        done += members.size();
        report("features", done, table.pictures.size());
      }
    }

    const detail::Stopwatch match(result.seconds.match);
    done = 0;
    for (std::size_t index = 0; index < table.pictures.size(); ++index) {
      const auto& picture = table.pictures[index];
      if (picture.as_target.empty()) continue;
      const auto matches = detail::match_target(pipeline.matcher, table, index, queries, store);
      for (std::size_t k = 0; k < matches.size(); ++k) {
        const std::size_t i = picture.as_target[k];
        result.pairs[i] = detail::pair_result(dataset.pairs[i], dataset.norm, picture.flip,
                                              picture.transform, matches[k]);
      }
      done += matches.size();
      report("matching", done, pair_count);
    }
  }

  std::vector<PairErrors> all;
  std::map<std::string, std::vector<PairErrors>> of_category;
  for (std::size_t i = 0; i < pair_count; ++i) {
    all.push_back(result.pairs[i].errors);
    of_category[dataset.pairs[i].category].push_back(result.pairs[i].errors);
  }
  result.total = detail::pck_scores(all, setting.alphas);
  for (const auto& [category, errors] : of_category) {
    result.per_category[category] = detail::pck_scores(errors, setting.alphas);
  }
  for (const double alpha : setting.alphas) result.metric.push_back(pipeline.metric(all, alpha));
  return result;
}

}  // namespace homolog
