// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The passes of evaluate(): sizes, features, matches.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/validate.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/pipeline/feature_store.hpp"
#include "homolog/pipeline/pipeline.hpp"

namespace homolog::inline v0_1::detail {

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

/// Reads every picture's size from its header and checks all annotations against it, so that bad
/// data stops the run before any forward.
///
/// @return indices of pictures by input size: those that can share a batch
template <class PipelineType>
std::map<std::pair<int, int>, std::vector<std::size_t>> read_sizes(const PipelineType& pipeline,
                                                                   const Dataset& dataset,
                                                                   PictureTable& table) {
  std::map<std::pair<int, int>, std::vector<std::size_t>> by_input_size;
  for (std::size_t i = 0; i < table.pictures.size(); ++i) {
    auto& picture = table.pictures[i];
    picture.transform = pipeline.transform(read_image_size(picture.path));
    const Size input = picture.transform.image.input;
    by_input_size[{input.width, input.height}].push_back(i);
  }
  for (std::size_t i = 0; i < dataset.pairs.size(); ++i) {
    const auto& [source, target] = table.of_pair[i];
    validate_pair(dataset.pairs[i], table.pictures[source].transform.image.image,
                  table.pictures[target].transform.image.image);
  }
  return by_input_size;
}

/// Refuses, before any forward, what would stop a run behind it: a pair without a threshold length,
/// and an input that no memory holds.
///
/// @param batch_size pictures a call of the backbone; 0 where it is not called
/// @throws DatasetError naming the pair, SettingError naming the picture
template <class B>
void require_scorable(const B& backbone, const Dataset& dataset, const PictureTable& table,
                      const std::map<std::pair<int, int>, std::vector<std::size_t>>& by_input_size,
                      int batch_size) {
  for (std::size_t i = 0; i < dataset.pairs.size(); ++i) {
    threshold_scale(dataset.pairs[i], dataset.norm,
                    table.pictures[table.of_pair[i].second].transform.image.image);
  }
  if (batch_size < 1) return;
  for (const auto& [input, pictures] : by_input_size) {
    const auto& first = table.pictures[pictures.front()];
    const auto together = (std::min)(pictures.size(), static_cast<std::size_t>(batch_size));
    require_memory(backbone, first.transform, static_cast<int>(together), first.path.string());
  }
}

/// Every pair's queries in its source's grid, [pairs] of [N,2] cells. Their features, of which a
/// data set may have gigabytes, lie in the store beside the pictures' maps.
using QueryCells = std::vector<Points<GridFrame>>;

/// Stores the features [N,D] of a pair's queries.
inline void store_queries(FeatureStore& store, const PictureTable& table, std::size_t pair,
                          FloatMatrix descriptors) {
  FeatureMap queries;
  queries.rows = static_cast<int>(descriptors.rows());
  queries.cols = 1;
  queries.values = std::move(descriptors);
  store.put(table.pictures.size() + pair, std::move(queries));
}

inline std::shared_ptr<const FeatureMap> stored_queries(FeatureStore& store,
                                                        const PictureTable& table,
                                                        std::size_t pair) {
  return store.get(table.pictures.size() + pair);
}

/// Reads the queries of all pairs that start at a picture, then stores its map.
template <class M>
void keep_features(const PictureTable& table, std::size_t index, const Dataset& dataset,
                   Query query, FeatureMap map, QueryCells& queries, FeatureStore& store) {
  const auto& picture = table.pictures[index];
  const int width = picture.transform.image.image.width;
  for (const std::size_t i : picture.as_source) {
    const auto& points = dataset.pairs[i].source_keypoints;
    queries[i] = picture.transform.to_grid(picture.flip ? flip_points(points, width) : points);
    if constexpr (needs_features<M>()) {
      store_queries(store, table, i, sample_descriptors(map, queries[i], query));
    }
  }
  store.put(index, std::move(map));
}

/// Features of some pictures of one input size; without features (null matchers) only their grids.
template <class B, class M, class S>
std::vector<FeatureMap> batch_features(const Pipeline<B, M, S>& pipeline, const PictureTable& table,
                                       std::span<const std::size_t> members, double& decode_seconds,
                                       double& backbone_seconds) {
  std::vector<FeatureMap> maps;
  if constexpr (needs_features<M>()) {
    std::vector<Image> images;
    {
      const Stopwatch decode(decode_seconds);
      for (const std::size_t member : members) {
        const auto& picture = table.pictures[member];
        images.push_back(load_image(picture.path));
        if (picture.flip) images.back() = flip_horizontally(images.back());
      }
    }
    const Stopwatch backbone(backbone_seconds);
    std::vector<const Image*> batch;
    batch.reserve(images.size());
    for (const Image& image : images) batch.push_back(&image);
    for (auto& features : pipeline.features_that_fit(batch))
      maps.push_back(std::move(features.map));
  } else {
    for (const std::size_t member : members) {
      maps.push_back(bare_grid(table.pictures[member].transform));
    }
  }
  return maps;
}

/// Matches the queries of all pairs that end at one target, in one call where the matcher needs
/// nothing but similarities.
///
/// @return matches by position in the picture's `as_target`
template <class M>
std::vector<std::vector<Match>> match_target(const M& matcher, int threads,
                                             const PictureTable& table, std::size_t index,
                                             const QueryCells& queries, FeatureStore& store) {
  const std::vector<std::size_t>& pairs = table.pictures[index].as_target;
  const auto target = store.get(index);
  std::vector<std::vector<Match>> matches;
  if constexpr (ProblemMatcher<M>) {
    for (const std::size_t i : pairs) {
      const auto source = store.get(table.of_pair[i].first);
      std::shared_ptr<const FeatureMap> read = std::make_shared<FeatureMap>();
      if constexpr (needs_features<M>()) read = stored_queries(store, table, i);
      matches.push_back(match_queries(
          matcher, MatchProblem{*source, *target, queries[i], read->descriptors()}, {threads}));
    }
  } else {
    std::size_t count = 0;
    for (const std::size_t i : pairs) count += queries[i].size();
    FloatMatrix all(static_cast<std::ptrdiff_t>(count), target->dim());
    float* next_row = all.data();
    for (const std::size_t i : pairs) {
      const auto read = stored_queries(store, table, i);
      next_row = std::copy_n(read->values.data(), read->values.size(), next_row);
    }
    const auto flat = match_descriptors(matcher, all, *target, {threads});
    auto next = flat.begin();
    for (const std::size_t i : pairs) {
      const auto end = next + static_cast<std::ptrdiff_t>(queries[i].size());
      matches.emplace_back(next, end);
      next = end;
    }
  }
  return matches;
}

}  // namespace homolog::inline v0_1::detail
