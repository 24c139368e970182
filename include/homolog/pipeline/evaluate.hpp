// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Scores a pipeline on a data set. Each distinct picture is decoded and forwarded exactly once,
/// however many pairs it stands in, and all queries of a target are matched in one call.

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/validate.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/pipeline/feature_store.hpp"
#include "homolog/pipeline/pipeline.hpp"

namespace homolog {

/// How an evaluation runs; none of these changes a score.
struct EvaluateSetting {
  std::vector<double> alphas{0.05, 0.1, 0.2};
  int batch_size = 4;                                   ///< pictures a backbone call
  std::size_t cache_memory = std::size_t{2} << 30;      ///< [bytes] of features kept in memory
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
  double decode = 0;    ///< reading, decoding and resizing pictures
  double backbone = 0;
  double match = 0;
  double total = 0;
};

/// All that an evaluation measured.
struct Evaluation {
  std::vector<double> alphas;
  PckScores total;
  std::map<std::string, PckScores> per_category;
  std::vector<double> metric;           ///< the pipeline's own metric at each alpha
  std::size_t distinct_images = 0;      ///< by path (and flip)
  std::size_t backbone_forwards = 0;    ///< pictures that went through the backbone
  EvaluationSeconds seconds;
  std::vector<PairResult> pairs;        ///< in the data set's order
};

namespace detail {

/// Adds the time until its end to a counter.
struct Stopwatch {
  explicit Stopwatch(double& counter_) : counter(counter_) {}
  ~Stopwatch() {
    counter += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  double& counter;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

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

inline Points<ImageFrame> flip_points(const Points<ImageFrame>& points, int width) {
  Points<ImageFrame> flipped = points;
  for (auto& point : flipped) point.x = width - 1 - point.x;
  return flipped;
}

/// The distinct pictures of a data set and, for each pair, which two they are.
struct PictureTable {
  struct Picture {
    std::filesystem::path path;
    bool flip = false;
    std::vector<std::size_t> as_source;  ///< pairs
    std::vector<std::size_t> as_target;  ///< pairs
    FrameTransform transform;
  };
  std::vector<Picture> pictures;
  std::vector<std::pair<std::size_t, std::size_t>> of_pair;  ///< source, target
};

inline PictureTable make_picture_table(const Dataset& dataset) {
  PictureTable table;
  std::map<std::pair<std::string, bool>, std::size_t> known;
  const auto find = [&](const std::filesystem::path& path, bool flip) {
    const auto [entry, added] = known.try_emplace({path.string(), flip}, table.pictures.size());
    if (added) table.pictures.push_back({path, flip, {}, {}, {}});
    return entry->second;
  };
  for (std::size_t i = 0; i < dataset.pairs.size(); ++i) {
    const Pair& pair = dataset.pairs[i];
    const auto source = find(pair.source, pair.flip), target = find(pair.target, pair.flip);
    table.pictures[source].as_source.push_back(i);
    table.pictures[target].as_target.push_back(i);
    table.of_pair.emplace_back(source, target);
  }
  return table;
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
  if (setting.batch_size < 1) throw SettingError("evaluate: the batch size must be at least 1");
  if (setting.alphas.empty()) throw SettingError("evaluate: no alpha was given");
  for (const double alpha : setting.alphas) {
    if (!(alpha > 0 && alpha < 1e6)) {
      throw SettingError(detail::text("evaluate: alpha ", alpha, " is not a positive number"));
    }
  }
  if (dataset.pairs.empty()) throw DatasetError(dataset.name + ": no pairs to evaluate");

  Evaluation result;
  result.alphas = setting.alphas;
  detail::PictureTable table = detail::make_picture_table(dataset);
  result.distinct_images = table.pictures.size();
  result.pairs.resize(dataset.pairs.size());
  {
    detail::Stopwatch total(result.seconds.total);
    FeatureStore store(setting.cache_memory);
    std::vector<Points<GridFrame>> queries(dataset.pairs.size());
    std::vector<FloatMatrix> descriptors(dataset.pairs.size());

    // Pass 1: every picture once. Sizes come from the headers first, so that pictures of equal input
    // size share a batch and bad annotations stop the run before any forward.
    std::map<std::pair<int, int>, std::vector<std::size_t>> by_input_size;
    {
      detail::Stopwatch decode(result.seconds.decode);
      for (std::size_t i = 0; i < table.pictures.size(); ++i) {
        auto& picture = table.pictures[i];
        picture.transform = pipeline.transform(read_image_size(picture.path));
        const Size input = picture.transform.image.input;
        by_input_size[{input.width, input.height}].push_back(i);
      }
    }
    for (std::size_t i = 0; i < dataset.pairs.size(); ++i) {
      const auto& [source, target] = table.of_pair[i];
      validate_pair(dataset.pairs[i], table.pictures[source].transform.image.image,
                    table.pictures[target].transform.image.image);
    }
    const auto keep = [&](std::size_t index, FeatureMap map) {
      const auto& picture = table.pictures[index];
      const int width = picture.transform.image.image.width;
      for (const std::size_t i : picture.as_source) {
        const auto& points = dataset.pairs[i].source_keypoints;
        queries[i] = picture.transform.to_grid(picture.flip ? detail::flip_points(points, width)
                                                            : points);
        if constexpr (needs_features<M>()) {
          descriptors[i] = sample_descriptors(map, queries[i], pipeline.setting.query);
        }
      }
      store.put(index, std::move(map));
    };
    std::size_t done = 0;
    for (const auto& [input, members] : by_input_size) {
      for (std::size_t begin = 0; begin < members.size();) {
        const std::size_t end =
            std::min(members.size(), begin + static_cast<std::size_t>(setting.batch_size));
        if constexpr (needs_features<M>()) {
          std::vector<Image> images;
          {
            detail::Stopwatch decode(result.seconds.decode);
            for (std::size_t k = begin; k < end; ++k) {
              const auto& picture = table.pictures[members[k]];
              images.push_back(load_image(picture.path));
              if (picture.flip) images.back() = flip_horizontally(images.back());
            }
          }
          std::vector<const Image*> batch;
          for (const Image& image : images) batch.push_back(&image);
          detail::Stopwatch backbone(result.seconds.backbone);
          auto features = pipeline.features(batch);
          result.backbone_forwards += features.size();
          for (std::size_t k = begin; k < end; ++k) {
            keep(members[k], std::move(features[k - begin].map));
          }
        } else {
          for (std::size_t k = begin; k < end; ++k) {
            const FrameTransform& transform = table.pictures[members[k]].transform;
            FeatureMap map(transform.grid.rows, transform.grid.cols, 0);
            map.content = detail::content_cells(transform.image, transform.grid.patch);
            keep(members[k], std::move(map));
          }
        }
        done += end - begin;
        begin = end;
        if (setting.progress) setting.progress("features", done, table.pictures.size());
      }
    }

    // Pass 2: every target once, with the queries of all its pairs.
    done = 0;
    for (std::size_t index = 0; index < table.pictures.size(); ++index) {
      const auto& picture = table.pictures[index];
      if (picture.as_target.empty()) continue;
      detail::Stopwatch match(result.seconds.match);
      const auto target = store.get(index);
      std::vector<std::vector<Match>> matches;
      if constexpr (ProblemMatcher<M>) {
        for (const std::size_t i : picture.as_target) {
          const auto source = store.get(table.of_pair[i].first);
          const FloatMatrix& rows = descriptors[i];
          matches.push_back(match_queries(
              pipeline.matcher,
              MatchProblem{*source, *target, queries[i],
                           DescriptorView(rows.data(), rows.rows(), rows.cols())}));
        }
      } else {
        Eigen::Index count = 0;
        for (const std::size_t i : picture.as_target) count += descriptors[i].rows();
        FloatMatrix all(count, target->dim());
        Eigen::Index row = 0;
        for (const std::size_t i : picture.as_target) {
          all.middleRows(row, descriptors[i].rows()) = descriptors[i];
          row += descriptors[i].rows();
        }
        const auto flat = match_descriptors(
            pipeline.matcher, DescriptorView(all.data(), all.rows(), all.cols()), *target);
        auto next = flat.begin();
        for (const std::size_t i : picture.as_target) {
          const auto end = next + descriptors[i].rows();
          matches.emplace_back(next, end);
          next = end;
        }
      }
      for (std::size_t k = 0; k < picture.as_target.size(); ++k) {
        const std::size_t i = picture.as_target[k];
        const Pair& pair = dataset.pairs[i];
        const Size size = picture.transform.image.image;
        PairResult& answer = result.pairs[i];
        MatchResult found = detail::to_image_points(matches[k], picture.transform);
        answer.predicted = std::move(found.points);
        answer.scores = std::move(found.scores);
        answer.truth = picture.flip ? detail::flip_points(pair.target_keypoints, size.width)
                                    : pair.target_keypoints;
        answer.errors.threshold_scale = threshold_scale(pair, dataset.norm, size);
        for (std::size_t n = 0; n < answer.truth.size(); ++n) {
          answer.errors.distances.push_back(distance(answer.predicted[n], answer.truth[n]));
        }
      }
      done += picture.as_target.size();
      if (setting.progress) setting.progress("matching", done, dataset.pairs.size());
    }
  }

  std::vector<PairErrors> all;
  std::map<std::string, std::vector<PairErrors>> of_category;
  for (std::size_t i = 0; i < dataset.pairs.size(); ++i) {
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
