// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The data that the processes of an evaluation exchange: the features of queries, then the
/// answers.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/points.hpp"
#include "homolog/core/shard.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/picture_set.hpp"
#include "homolog/pipeline/predictions.hpp"
#include "homolog/pipeline/query_set.hpp"

namespace homolog::inline v0_1::detail {

/// Writes numbers as the machine's bytes, so that all processes of a run must be on machines of one
/// kind.
struct ByteWriter {
  std::string bytes;
  template <class T>
  void add(const T* values, std::size_t count) {
    bytes.append(reinterpret_cast<const char*>(values), count * sizeof(T));
  }
  template <class T>
  void add(T value) {
    add(&value, 1);
  }
};

struct ByteReader {
  std::string_view bytes;
  template <class T>
  void take(T* values, std::size_t count) {
    const char* const from = bytes.data();
    skip<T>(count);
    if (count > 0) std::memcpy(values, from, count * sizeof(T));
  }
  template <class T>
  void skip(std::size_t count) {
    if (bytes.size() / sizeof(T) < count) {
      throw ShapeError("evaluate: another process sent less data than expected");
    }
    bytes.remove_prefix(count * sizeof(T));
  }
  template <class T>
  T take() {
    T value{};
    take(&value, 1);
    return value;
  }
};

/// The bytes of each process, with a reader at their beginning.
struct Gathered {
  Gathered(const Shard& shard, const ByteWriter& own) : all(shard.gather(own.bytes)) {
    if (all.size() != static_cast<std::size_t>(shard.count)) {
      throw ShapeError(
          text("evaluate: got the data of ", all.size(), " processes, expected ", shard.count));
    }
    for (const std::string& bytes : all) readers.push_back({bytes});
  }
  Gathered(const Gathered&) = delete;  // the readers look into `all`
  Gathered& operator=(const Gathered&) = delete;

  std::vector<std::string> all;
  std::vector<ByteReader> readers;
};

/// Gives every process the queries of those pairs whose target picture it has.
///
/// @param owners the process that has each picture
/// @param own_dim D of this process's maps; 0 where it has none
inline void exchange_queries(const Shard& shard, const Dataset& dataset, const PictureSet& set,
                             const std::vector<int>& owners, int own_dim, QuerySet& queries) {
  ByteWriter own;
  own.add(own_dim);
  int dim = 0;
  for (auto& reader : Gathered(shard, own).readers) {
    const int other = reader.take<int>();
    if (dim != 0 && other != 0 && other != dim) {
      throw ShapeError(text("evaluate: a feature has ", other, " dimensions in one process and ",
                            dim, " in another"));
    }
    dim = (std::max)(dim, other);
  }
  // In pieces: all descriptors of a large data set at once would take gigabytes.
  constexpr std::size_t pairs_at_once = 256;
  for (std::size_t begin = 0; begin < dataset.pairs.size(); begin += pairs_at_once) {
    const std::size_t end = (std::min)(begin + pairs_at_once, dataset.pairs.size());
    ByteWriter piece;
    for (std::size_t i = begin; i < end; ++i) {
      if (owners[set.of_pair[i].first] != shard.index) continue;
      const auto read = queries.get(i);
      piece.add(&queries.cells[i][0], queries.cells[i].size());
      piece.add(read->values.data(), static_cast<std::size_t>(read->values.size()));
    }
    Gathered gathered(shard, piece);
    for (std::size_t i = begin; i < end; ++i) {
      const int owner = owners[set.of_pair[i].first];
      auto& reader = gathered.readers[static_cast<std::size_t>(owner)];
      const auto points = dataset.pairs[i].source_keypoints.size();
      queries.cells[i] = Points<GridFrame>(points);
      reader.take(&queries.cells[i][0], points);
      if (owner == shard.index || owners[set.of_pair[i].second] != shard.index) {
        reader.skip<float>(points * static_cast<std::size_t>(dim));
        continue;
      }
      FloatMatrix descriptors(static_cast<std::ptrdiff_t>(points), dim);
      reader.take(descriptors.data(), static_cast<std::size_t>(descriptors.size()));
      queries.put(i, std::move(descriptors));
    }
  }
}

/// Gives every process the answers of all pairs and the total number of forwards.
inline void exchange_answers(const Shard& shard, const PictureSet& set,
                             const std::vector<int>& owners, Predictions& result) {
  ByteWriter own;
  const std::uint64_t forwards = result.backbone_forwards;
  own.add(forwards);
  for (std::size_t i = 0; i < result.pairs.size(); ++i) {
    if (owners[set.of_pair[i].second] != shard.index) continue;
    const PairResult& pair = result.pairs[i];
    for (std::size_t n = 0; n < pair.truth.size(); ++n) {
      own.add(pair.predicted[n]);
      own.add(pair.scores[n]);
      own.add(static_cast<char>(pair.mutual[n]));
    }
    own.add(pair.margins.data(), pair.margins.size());
  }
  Gathered gathered(shard, own);
  result.backbone_forwards = 0;
  for (auto& reader : gathered.readers) result.backbone_forwards += reader.take<std::uint64_t>();
  for (std::size_t i = 0; i < result.pairs.size(); ++i) {
    auto& reader = gathered.readers[static_cast<std::size_t>(owners[set.of_pair[i].second])];
    PairResult& pair = result.pairs[i];
    for (std::size_t n = 0; n < pair.truth.size(); ++n) {
      pair.predicted[n] = reader.take<Point<ImageFrame>>();
      pair.scores[n] = reader.take<float>();
      pair.mutual[n] = reader.take<char>() != 0;
      pair.errors.distances[n] = distance(pair.predicted[n], pair.truth[n]);
    }
    reader.take(pair.margins.data(), pair.margins.size());
  }
}

}  // namespace homolog::inline v0_1::detail
