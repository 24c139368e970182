// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The answers of a pipeline to a data set's pairs. Each distinct picture is decoded and passed
/// through the backbone exactly once, however many pairs it belongs to, and all queries of a target
/// are matched in one call.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/progress.hpp"
#include "homolog/core/shard.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/picture_set.hpp"
#include "homolog/features/feature_source.hpp"
#include "homolog/features/feature_store.hpp"
#include "homolog/features/from_backbone.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/images/prepare.hpp"
#include "homolog/kernels/target_made.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/pipeline/detail/exchange.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/pipeline/predictions.hpp"
#include "homolog/pipeline/query_set.hpp"

namespace homolog::inline v0_1 {

/// How a pipeline runs over a data set; none of these changes an answer.
struct PredictSetting {
  int batch_size = 4;  ///< pictures a backbone call
  /// [bytes] of features, of pictures and of queries, kept in memory; the rest lies on a disk.
  std::size_t cache_memory = std::size_t{2} << 30;
  ProgressCallback progress;  ///< stages: "features", in pictures, and "matching", in pairs
  Shard shard;                ///< which part is this process's; all of it by default
};

namespace detail {

/// Adds the time that it lives to a counter.
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

/// Pictures of one input size that go through the backbone together.
struct PictureBatch {
  std::vector<std::size_t> members;  ///< places in the picture set
  int process = 0;                   ///< index of the process that has them
};

/// Gives whole batches to processes, so that each batch is computed as in a run of one process.
std::vector<PictureBatch> make_batches(const PictureSet& set, int batch_size, int processes);

/// Features of a batch's pictures; for a matcher that needs no features, only their grids.
template <class P, class M, class S>
std::vector<FeatureMap> batch_features(const Pipeline<P, M, S>& pipeline,
                                       std::span<const PictureId> pictures,
                                       EvaluationSeconds& seconds) {
  std::vector<FeatureMap> maps;
  if constexpr (!needs_features<M>()) {
    for (const PictureId& picture : pictures) maps.push_back(bare_grid(picture.transform));
  } else {
    std::vector<FrameTransform> transforms;
    for (const PictureId& picture : pictures) transforms.push_back(picture.transform);
    if constexpr (FeatureSource<P>) {
      const Stopwatch backbone(seconds.backbone);
      maps = pipeline.backbone(pictures);
      finish_maps(maps, transforms, "feature source");
    } else {
      std::vector<Image> images;
      {
        const Stopwatch decode(seconds.decode);
        for (const PictureId& picture : pictures) {
          images.push_back(load_image(picture.path));
          if (picture.flip) images.back() = flip_horizontally(images.back());
        }
      }
      const Stopwatch backbone(seconds.backbone);
      const std::vector<ImageView> views(images.begin(), images.end());
      maps = backbone_features(pipeline.backbone, views, transforms, pipeline.setting.filter);
    }
  }
  return maps;
}

/// The answers in one target picture, by position in the picture's `as_target`.
struct TargetAnswers {
  std::vector<std::vector<Match>> matches;
  std::vector<std::vector<float>> margins;  ///< empty ones unless the setting asks for them
};

/// Matches the queries of all pairs that end at one target, in one call where the matcher needs
/// nothing but similarities.
template <class M>
TargetAnswers match_target(const M& matcher, const PipelineSetting& setting, const PictureSet& set,
                           std::size_t index, QuerySet& queries, FeatureStore& store) {
  const std::vector<std::size_t>& pairs = set.as_target[index];
  const auto target = store.get(index);
  TargetAnswers answers;
  if constexpr (ProblemMatcher<M>) {
    TargetMade made;
    for (const std::size_t i : pairs) {
      const auto source = store.get(set.of_pair[i].first);
      std::shared_ptr<const FeatureMap> read = std::make_shared<FeatureMap>();
      if constexpr (needs_features<M>()) read = queries.get(i);
      const MatchProblem problem{*source, *target, queries.cells[i], read->descriptors(), &made};
      answers.matches.push_back(match_queries(matcher, problem, {setting.threads}));
      answers.margins.push_back(margins_of<M>(read->descriptors(), *target, setting));
    }
  } else {
    std::size_t count = 0;
    for (const std::size_t i : pairs) count += queries.cells[i].size();
    FloatMatrix all(static_cast<std::ptrdiff_t>(count), target->dim());
    float* next_row = all.data();
    for (const std::size_t i : pairs) {
      const auto read = queries.get(i);
      next_row = std::copy_n(read->values.data(), read->values.size(), next_row);
    }
    const auto matches = match_descriptors(matcher, all, *target, {setting.threads});
    const auto margins = margins_of<M>(all, *target, setting);
    std::size_t begin = 0;
    for (const std::size_t i : pairs) {
      const auto first = static_cast<std::ptrdiff_t>(begin);
      begin += queries.cells[i].size();
      const auto last = static_cast<std::ptrdiff_t>(begin);
      answers.matches.emplace_back(matches.begin() + first, matches.begin() + last);
      answers.margins.emplace_back();
      if (setting.margin) {
        answers.margins.back().assign(margins.begin() + first, margins.begin() + last);
      }
    }
  }
  return answers;
}

/// A pair's answers in pixels, with their errors.
///
/// @param truth [N,2] pixels of the target picture as it was seen
/// @param scale the pair's threshold length [px]
/// @throws ValueError naming the pair for an answer that is not finite
PairResult pair_result(const std::string& pair, const std::vector<Match>& matches,
                       const FrameTransform& target, Points<ImageFrame> truth, double scale);

/// Checks that every process of the shard answers the same pairs in the same way.
void require_agreement(const PredictSetting& setting, const Dataset& dataset,
                       const PipelineSetting& pipeline);

/// One run of predict(): what its stages share.
template <class P, class M, class S>
struct Prediction {
  const Pipeline<P, M, S>& pipeline;
  const Dataset& dataset;
  const PredictSetting& setting;
  Predictions result;
  PictureSet set;
  std::vector<double> scales;  ///< [pairs] threshold lengths [px]
  std::vector<PictureBatch> batches;
  std::vector<int> owners;  ///< [pictures] processes

  void report(std::string_view stage, std::size_t done, std::size_t total) const {
    if (setting.progress) setting.progress(stage, done, total);
  }

  /// Refuses, before any forward pass, what would stop the run later: bad annotations, a pair
  /// without a threshold length, and an input that does not fit into memory.
  void read_pictures() {
    const Stopwatch decode(result.seconds.decode);
    set = make_picture_set(dataset, [this](Size image) { return pipeline.transform(image); });
    result.distinct_images = set.pictures.size();
    scales = threshold_scales(dataset, set);
    batches = make_batches(set, setting.batch_size, setting.shard.count);
    owners.resize(set.pictures.size());
    for (const PictureBatch& batch : batches) {
      for (const std::size_t member : batch.members) owners[member] = batch.process;
      if constexpr (needs_features<M>() && !FeatureSource<P>) {
        const PictureId& first = set.pictures[batch.members.front()];
        require_memory(pipeline.backbone, first.transform, static_cast<int>(batch.members.size()),
                       first.path);
      }
    }
  }

  /// Maps and queries of this process's pictures. Without features there are only grids to make,
  /// and every process makes them all.
  ///
  /// @return D of the maps; 0 where there are none
  int make_features(FeatureStore& store, QuerySet& queries) {
    int dim = 0;
    std::size_t done = 0;
    for (const PictureBatch& batch : batches) {
      if (needs_features<M>() && batch.process != setting.shard.index) continue;
      std::vector<PictureId> pictures;
      for (const std::size_t member : batch.members) pictures.push_back(set.pictures[member]);
      auto maps = batch_features(pipeline, pictures, result.seconds);
      if (needs_features<M>()) result.backbone_forwards += maps.size();
      for (std::size_t k = 0; k < maps.size(); ++k) {
        if (dim == 0) dim = maps[k].dim();
        if (maps[k].dim() != dim) {
          throw ShapeError(text("evaluate: a feature of ", pictures[k].path, " has ", maps[k].dim(),
                                " dimensions, those of the pictures before it have ", dim));
        }
        queries.read(dataset, set, batch.members[k], needs_features<M>() ? &maps[k] : nullptr,
                     pipeline.setting.query);
        store.put(batch.members[k], std::move(maps[k]));
      }
      done += maps.size();
      report("features", done, set.pictures.size());
    }
    return dim;
  }

  void take_answers(std::size_t pair, const std::vector<Match>& matches,
                    std::vector<float> margins) {
    const std::size_t target = set.of_pair[pair].second;
    result.pairs[pair] =
        pair_result(dataset.pairs[pair].name, matches, set.pictures[target].transform,
                    set.seen(target, dataset.pairs[pair].target_keypoints), scales[pair]);
    result.pairs[pair].margins = std::move(margins);
  }

  void match(FeatureStore& store, QuerySet& queries) {
    result.pairs.resize(dataset.pairs.size());
    std::size_t done = 0;
    for (std::size_t index = 0; index < set.pictures.size(); ++index) {
      if (set.as_target[index].empty() || owners[index] != setting.shard.index) continue;
      TargetAnswers answers =
          match_target(pipeline.matcher, pipeline.setting, set, index, queries, store);
      for (std::size_t k = 0; k < answers.matches.size(); ++k) {
        take_answers(set.as_target[index][k], answers.matches[k], std::move(answers.margins[k]));
      }
      done += answers.matches.size();
      report("matching", done, dataset.pairs.size());
    }
    for (std::size_t i = 0; i < dataset.pairs.size(); ++i) {  // filled by other processes later
      if (owners[set.of_pair[i].second] == setting.shard.index) continue;
      const std::size_t count = dataset.pairs[i].target_keypoints.size();
      take_answers(i, std::vector<Match>(count),
                   std::vector<float>(pipeline.setting.margin ? count : 0));
    }
  }
};

}  // namespace detail

/// Matches every pair of a data set.
///
/// @throws DatasetError, PointError, ImageError, FileError for bad annotations and headers, before
/// any forward pass, and at any time for a picture that cannot be decoded or a full disk;
/// ValueError naming the pair for which the matcher's answer is not finite; SettingError for a
/// batch size below 1, an invalid shard, an image size that is no multiple of the patch size,
/// processes that were given other pairs or settings, a matcher of feature maps in several
/// processes, or an input that takes more memory than there is; ShapeError for feature maps that do
/// not fit their pictures or one another; whatever the shard's `gather` throws
template <class P, class M, class S>
Predictions predict(const Pipeline<P, M, S>& pipeline, const Dataset& dataset,
                    const PredictSetting& setting = PredictSetting()) {
  if (setting.batch_size < 1) throw SettingError("evaluate: the batch size must be at least 1");
  if (dataset.pairs.empty()) throw DatasetError(dataset.name + ": no pairs to evaluate");
  require_valid(setting.shard, "evaluate");
  if constexpr (ProblemMatcher<M> && needs_features<M>()) {
    if (setting.shard.count > 1) {
      throw SettingError(
          "evaluate: this matcher reads both feature maps of a pair, which may lie in different "
          "processes; run it in one process");
    }
  }
  detail::require_agreement(setting, dataset, pipeline.setting);
  detail::Prediction<P, M, S> run{pipeline, dataset, setting, {}, {}, {}, {}, {}};
  double total_seconds = 0;
  {
    const detail::Stopwatch total(total_seconds);
    run.read_pictures();
    FeatureStore store(setting.cache_memory);
    QuerySet queries(store, run.set);
    const int dim = run.make_features(store, queries);
    const bool exchange = setting.shard.count > 1;
    if (exchange && needs_features<M>()) {
      detail::exchange_queries(setting.shard, dataset, run.set, run.owners, dim, queries);
    }
    const detail::Stopwatch match(run.result.seconds.match);
    run.match(store, queries);
    if (exchange) detail::exchange_answers(setting.shard, run.set, run.owners, run.result);
  }
  run.result.seconds.total = total_seconds;
  return std::move(run.result);
}

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/pipeline/detail/predict_inl.hpp"
#endif
