// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Scores a pipeline on a data set. Each distinct picture is decoded and forwarded exactly once,
/// however many pairs it stands in, and all queries of a target are matched in one call.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/datasets/dataset.hpp"
#include "homolog/pipeline/detail/agreement.hpp"
#include "homolog/pipeline/detail/evaluation_passes.hpp"
#include "homolog/pipeline/pipeline.hpp"

namespace homolog::inline v0_1 {

/// A distinct picture of a data set.
struct PictureId {
  std::filesystem::path path;  ///< as the data set names it
  bool flip = false;           ///< mirrored left to right
  FrameTransform transform;    ///< between its pixels and the grid that its map must have
};

/// This process's part of an evaluation on several; one process by default.
struct EvaluationShard {
  int index = 0;  ///< of this process, in [0, count)
  int count = 1;  ///< processes; with several `sum` is needed
  /// Adds values up over all processes, in place; every process calls it with as many values.
  std::function<void(std::span<double>)> sum;
};

/// How an evaluation runs; none of these changes a score.
struct EvaluateSetting {
  std::vector<double> alphas{0.05, 0.1, 0.2};  ///< PCK thresholds as fractions of s, each > 0
  int batch_size = 4;                          ///< pictures a backbone call
  /// [bytes] of features, of pictures and of queries, kept in memory; the rest lies on a disk.
  std::size_t cache_memory = std::size_t{2} << 30;
  /// Called with the stage ("features" or "matching"), pictures or pairs done, and their number.
  std::function<void(std::string_view stage, std::size_t done, std::size_t total)> progress;
  /// Where given, asked for the maps of pictures of one input size (at most batch_size) instead of
  /// decoding them and running the backbone; maps as a Backbone returns them.
  std::function<std::vector<FeatureMap>(std::span<const PictureId>)> features;
  EvaluationShard shard;  ///< which part is this process's; all of it by default
};

/// One pair's prediction.
struct PairResult {
  Points<ImageFrame> predicted;  ///< [N,2] pixels of the target picture, never outside its edges
  Points<ImageFrame> truth;      ///< [N,2] pixels of the target picture
  std::vector<float> scores;     ///< [N] cosine similarity at the peak
  std::vector<bool> mutual;      ///< [N] false where a mutual check was made and failed
  PairErrors errors;             ///< distances [N] and the length s, all that a metric reads
};

/// PCK of a set of pairs, both aggregations, as fractions in the order of Evaluation::alphas.
struct PckScores {
  std::size_t pairs = 0;          ///< scored
  std::size_t points = 0;         ///< keypoints of these pairs
  std::vector<double> per_point;  ///< correct over all keypoints, see PckPerPoint
  std::vector<double> per_image;  ///< mean over pairs of each one's fraction, see PckPerImage
};

/// Seconds spent, by stage.
struct EvaluationSeconds {
  double decode = 0;    ///< reading and decoding pictures
  double backbone = 0;  ///< resizing and the forward
  double match = 0;     ///< similarities, the matcher and the exchange of its answers
  double total = 0;     ///< all stages, data checks and waiting included; not the metrics
};

/// All that an evaluation measured.
struct Evaluation {
  std::vector<double> alphas;                     ///< as set; every list of scores is in this order
  PckScores total;                                ///< of all pairs
  std::map<std::string, PckScores> per_category;  ///< of the pairs of each category, by its name
  std::vector<double> metric;                     ///< the pipeline's own metric at each alpha
  /// Of the mutual answers alone, and the pairs that have one; nothing where the matcher makes no
  /// mutual check (checks_mutual()), no scores where no answer is mutual.
  std::optional<PckScores> mutual;
  std::size_t distinct_images = 0;    ///< by path (and flip)
  std::size_t backbone_forwards = 0;  ///< pictures that went through the backbone
  EvaluationSeconds seconds;          ///< wall time of this process
  std::vector<PairResult> pairs;      ///< in the data set's order
};

namespace detail {

inline PckScores pck_scores(const std::vector<PairErrors>& errors,
                            const std::vector<double>& alphas) {
  PckScores scores;
  scores.pairs = errors.size();
  for (const PairErrors& pair : errors) scores.points += pair.distances.size();
  if (errors.empty()) return scores;
  for (const double alpha : alphas) {
    scores.per_point.push_back(PckPerPoint{}(errors, alpha));
    scores.per_image.push_back(PckPerImage{}(errors, alpha));
  }
  return scores;
}

/// The errors of the mutual answers, of the pairs that have any.
inline std::vector<PairErrors> mutual_errors(const std::vector<PairResult>& pairs) {
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

inline PairResult pair_result(const Pair& pair, ThresholdNorm norm, bool flip,
                              const FrameTransform& target, const std::vector<Match>& matches) {
  const Size size = target.image.image;
  PairResult result;
  MatchResult found = [&] {
    try {
      return to_image_points(matches, target);
    } catch (const ValueError& error) {
      throw ValueError(text("pair ", pair.name, ": ", error.what()));
    }
  }();
  result.predicted = std::move(found.points);
  result.scores = std::move(found.scores);
  result.mutual = std::move(found.mutual);
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
  for (std::size_t i = 0; i < setting.alphas.size(); ++i) {
    const double alpha = setting.alphas[i];
    if (!(alpha > 0 && alpha < 1e6)) {
      throw SettingError(text("evaluate: alpha ", alpha, " is not a positive number below 1e6"));
    }
    if (std::find(setting.alphas.begin(), setting.alphas.begin() + static_cast<std::ptrdiff_t>(i),
                  alpha) != setting.alphas.begin() + static_cast<std::ptrdiff_t>(i)) {
      throw SettingError(text("evaluate: alpha ", alpha, " was given twice"));
    }
  }
  if (dataset.pairs.empty()) throw DatasetError(dataset.name + ": no pairs to evaluate");
  const auto& shard = setting.shard;
  if (shard.count < 1 || shard.index < 0 || shard.index >= shard.count ||
      (shard.count > 1 && !shard.sum)) {
    throw SettingError(text("evaluate: process ", shard.index, " of ", shard.count,
                            ", or no way to add up over processes"));
  }
}

/// That every process of the shard scores the same pairs in the same way.
inline void require_agreement(const EvaluateSetting& setting, const Dataset& dataset,
                              const PipelineSetting& pipeline) {
  std::string line =
      text(setting.batch_size, '|', pipeline.image_size, '|', static_cast<int>(pipeline.resize),
           '|', static_cast<int>(pipeline.filter), '|', static_cast<int>(pipeline.query));
  for (const double alpha : setting.alphas) line += text('|', shortest(alpha));
  require_agreement(setting.shard.index, setting.shard.count,
                    stable_hash(line, stable_hash(dataset)), "evaluate", setting.shard.sum);
}

/// Maps that the caller knows already, brought to the form of Pipeline::features().
template <class B, class M, class S>
std::vector<FeatureMap> given_features(const EvaluateSetting& setting,
                                       const Pipeline<B, M, S>& pipeline, const PictureTable& table,
                                       std::span<const std::size_t> members) {
  std::vector<PictureId> ids;
  for (const std::size_t member : members) {
    const auto& picture = table.pictures[member];
    ids.push_back({picture.path, picture.flip, picture.transform});
  }
  std::vector<FeatureMap> maps = setting.features(ids);
  if (maps.size() != ids.size()) {
    throw ShapeError(
        text("evaluate: ", maps.size(), " feature maps for ", ids.size(), " pictures"));
  }
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const auto& [image, grid] = ids[i].transform;
    if (maps[i].rows != grid.rows || maps[i].cols != grid.cols) {
      throw ShapeError(text("evaluate: feature map of ", maps[i].rows, "x", maps[i].cols,
                            " cells, expected ", grid.rows, "x", grid.cols));
    }
    normalize_rows(maps[i].values);
    maps[i].content = content_cells(image, pipeline.backbone.patch_size());
  }
  return maps;
}

/// Gives every process the queries of the pairs whose targets it has. Each process read those whose
/// source it forwarded; the others are zero there, and x + 0 = x.
///
/// @param owned the pictures that this process forwarded
inline void exchange_queries(const EvaluationShard& shard, const Dataset& dataset,
                             const PictureTable& table, const std::vector<bool>& owned,
                             QueryCells& queries, FeatureStore& store) {
  std::vector<double> sizes(3);  // processes without a picture do not know the dimension
  for (std::size_t i = 0; i < owned.size() && sizes[0] == 0; ++i) {
    if (!owned[i]) continue;
    const double dim = store.get(i)->dim();
    sizes = {1, dim, dim * dim};
  }
  shard.sum(sizes);
  if (sizes[0] * sizes[2] != sizes[1] * sizes[1]) {  // the squares' mean is the mean's square
    throw ShapeError("evaluate: features have other dimensions in other processes");
  }
  const Eigen::Index dim = sizes[0] > 0 ? std::lround(sizes[1] / sizes[0]) : 0;
  // In pieces: all descriptors of a large data set at once would take gigabytes.
  constexpr std::size_t pairs_at_once = 256;
  for (std::size_t begin = 0; begin < dataset.pairs.size(); begin += pairs_at_once) {
    const std::size_t end = (std::min)(begin + pairs_at_once, dataset.pairs.size());
    std::vector<double> values;
    for (std::size_t i = begin; i < end; ++i) {
      const auto points = dataset.pairs[i].source_keypoints.size();
      const std::size_t first = values.size();
      values.resize(first + points * (2 + static_cast<std::size_t>(dim)));
      if (!owned[table.of_pair[i].first]) continue;
      const auto read = stored_queries(store, table, i);
      double* out = values.data() + first;
      for (std::size_t n = 0; n < points; ++n) {
        *out++ = queries[i][n].x;
        *out++ = queries[i][n].y;
        for (Eigen::Index d = 0; d < dim; ++d) {
          *out++ = static_cast<double>(read->values(static_cast<Eigen::Index>(n), d));
        }
      }
    }
    shard.sum(values);
    const double* in = values.data();
    for (std::size_t i = begin; i < end; ++i) {
      const auto points = dataset.pairs[i].source_keypoints.size();
      queries[i] = Points<GridFrame>(points);
      const bool wanted = owned[table.of_pair[i].second] && !owned[table.of_pair[i].first];
      FloatMatrix descriptors(wanted ? static_cast<Eigen::Index>(points) : 0, dim);
      for (std::size_t n = 0; n < points; ++n, in += 2 + dim) {
        queries[i][n] = {in[0], in[1]};
        for (Eigen::Index d = 0; wanted && d < dim; ++d) {
          descriptors(static_cast<Eigen::Index>(n), d) = static_cast<float>(in[2 + d]);
        }
      }
      if (wanted) store_queries(store, table, i, std::move(descriptors));
    }
  }
}

/// Gives every process the answers of all pairs, and the number of forwards of all processes.
inline void exchange_results(const EvaluationShard& shard, const PictureTable& table,
                             const std::vector<bool>& owned, Evaluation& result) {
  std::vector<double> values{static_cast<double>(result.backbone_forwards)};
  for (std::size_t i = 0; i < result.pairs.size(); ++i) {
    const bool mine = owned[table.of_pair[i].second];
    const PairResult& pair = result.pairs[i];
    for (std::size_t n = 0; n < pair.truth.size(); ++n) {
      values.push_back(mine ? pair.predicted[n].x : 0);
      values.push_back(mine ? pair.predicted[n].y : 0);
      values.push_back(mine ? static_cast<double>(pair.scores[n]) : 0);
      values.push_back(mine && pair.mutual[n] ? 1 : 0);
    }
  }
  shard.sum(values);
  const double* in = values.data();
  result.backbone_forwards = static_cast<std::size_t>(*in++);
  for (PairResult& pair : result.pairs) {
    for (std::size_t n = 0; n < pair.truth.size(); ++n, in += 4) {
      pair.predicted[n] = {in[0], in[1]};
      pair.scores[n] = static_cast<float>(in[2]);
      pair.mutual[n] = in[3] > 0;
      pair.errors.distances[n] = distance(pair.predicted[n], pair.truth[n]);
    }
  }
}

}  // namespace detail

/// Scores every pair of a data set.
///
/// Correct means distance <= alpha * s, in pixels of the target picture as decoded; s by the data
/// set's norm (Dataset::norm). Both aggregations are always computed, beside the pipeline's metric.
///
/// @throws DatasetError, PointError, ImageError, FileError for bad data, before any score is given;
/// ValueError naming the pair for which the matcher's answer is not finite;
/// SettingError for an alpha that is not positive or stands twice, a batch size below 1,
/// processes that were given other pairs or settings, a matcher of feature maps in several
/// processes, or an input that takes more memory than there is; ShapeError for feature maps that do
/// not fit their pictures or one another; whatever the shard's `sum` throws
template <class B, class M, class S>
Evaluation evaluate(const Pipeline<B, M, S>& pipeline, const Dataset& dataset,
                    const EvaluateSetting& setting = {}) {
  detail::require_valid(setting, dataset);
  if constexpr (ProblemMatcher<M> && needs_features<M>()) {
    if (setting.shard.count > 1) {
      throw SettingError(
          "evaluate: this matcher looks at both feature maps of a pair, which lie in different "
          "processes; run it in one");
    }
  }
  if (setting.shard.count > 1) detail::require_agreement(setting, dataset, pipeline.setting);
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
      auto by_size = detail::read_sizes(pipeline, dataset, table);
      const bool forwards = needs_features<M>() && !setting.features;
      detail::require_scorable(pipeline.backbone, dataset, table, by_size,
                               forwards ? setting.batch_size : 0);
      return by_size;
    }();

    const auto processes = static_cast<std::size_t>(setting.shard.count);
    const auto own = static_cast<std::size_t>(setting.shard.index);
    std::vector<bool> owned(table.pictures.size());
    FeatureStore store(setting.cache_memory);
    detail::QueryCells queries(pair_count);
    std::size_t done = 0, batch = 0;
    int dim = 0;
    for (const auto& [input, pictures] : by_input_size) {
      const std::span<const std::size_t> all(pictures);
      for (std::size_t begin = 0; begin < all.size();) {
        const auto members = all.subspan(
            begin, (std::min)(all.size() - begin, static_cast<std::size_t>(setting.batch_size)));
        begin += members.size();
        // Whole batches go to a process, so that each is computed as one process alone would.
        // Without features there are only grids to make, and every process makes them all.
        const bool mine = batch++ % processes == own;
        if (!mine && needs_features<M>()) continue;
        for (const std::size_t member : members) owned[member] = mine;
        auto maps = setting.features && needs_features<M>()
                        ? detail::given_features(setting, pipeline, table, members)
                        : detail::batch_features(pipeline, table, members, result.seconds.decode,
                                                 result.seconds.backbone);
        if (needs_features<M>()) result.backbone_forwards += maps.size();
        for (std::size_t k = 0; k < members.size(); ++k) {
          if (dim == 0) dim = maps[k].dim();
          if (maps[k].dim() != dim) {
            throw ShapeError(detail::text("evaluate: features of ", maps[k].dim(), " floats for ",
                                          table.pictures[members[k]].path.string(), ", of ", dim,
                                          " for the pictures before it"));
          }
          detail::keep_features<M>(table, members[k], dataset, pipeline.setting.query,
                                   std::move(maps[k]), queries, store);
        }
        done += members.size();
        report("features", done, table.pictures.size());
      }
    }
    if constexpr (needs_features<M>()) {
      if (processes > 1) {
        detail::exchange_queries(setting.shard, dataset, table, owned, queries, store);
      }
    }

    const detail::Stopwatch match(result.seconds.match);
    done = 0;
    for (std::size_t index = 0; index < table.pictures.size(); ++index) {
      const auto& picture = table.pictures[index];
      if (picture.as_target.empty() || !owned[index]) continue;
      const auto matches = detail::match_target(pipeline.matcher, pipeline.setting.threads, table,
                                                index, queries, store);
      for (std::size_t k = 0; k < matches.size(); ++k) {
        const std::size_t i = picture.as_target[k];
        result.pairs[i] = detail::pair_result(dataset.pairs[i], dataset.norm, picture.flip,
                                              picture.transform, matches[k]);
      }
      done += matches.size();
      report("matching", done, pair_count);
    }
    if (processes > 1) {
      for (std::size_t i = 0; i < pair_count; ++i) {
        if (owned[table.of_pair[i].second]) continue;
        const auto& target = table.pictures[table.of_pair[i].second];
        const std::vector<Match> none(dataset.pairs[i].target_keypoints.size());
        result.pairs[i] = detail::pair_result(dataset.pairs[i], dataset.norm, target.flip,
                                              target.transform, none);
      }
      detail::exchange_results(setting.shard, table, owned, result);
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
  if constexpr (checks_mutual<M>()) {
    result.mutual = detail::pck_scores(detail::mutual_errors(result.pairs), setting.alphas);
  }
  for (const double alpha : setting.alphas) result.metric.push_back(pipeline.metric(all, alpha));
  return result;
}

}  // namespace homolog::inline v0_1
