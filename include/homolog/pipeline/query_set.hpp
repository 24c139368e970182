// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The queries of a data set's pairs, and the features that they read from the maps of their source
/// pictures.

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "homolog/core/feature_map.hpp"
#include "homolog/core/points.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/picture_set.hpp"
#include "homolog/features/feature_store.hpp"
#include "homolog/kernels/sample.hpp"

namespace homolog::inline v0_1 {

/// Every pair's queries. Their features, which may take gigabytes, are kept in the store of the
/// pictures' maps, at the indices after those of the maps, and count towards its memory limit.
struct QuerySet {
  /// @param store_ holds the maps of `pictures` by their place there
  QuerySet(FeatureStore& store_, const PictureSet& pictures)
      : cells(pictures.of_pair.size()), store(store_), first(pictures.pictures.size()) {}

  std::vector<Points<GridFrame>> cells;  ///< [pairs] of [N,2] cells of the source's grid

  /// Stores the features [N,D] of a pair's queries.
  ///
  /// @throws as FeatureStore::put()
  void put(std::size_t pair, FloatMatrix descriptors) {
    FeatureMap queries;
    queries.rows = static_cast<int>(descriptors.rows());
    queries.cols = 1;
    queries.values = std::move(descriptors);
    store.put(first + pair, std::move(queries));
  }
  /// The features of a pair's queries; they stay valid while the pointer is held.
  ///
  /// @throws as FeatureStore::get()
  std::shared_ptr<const FeatureMap> get(std::size_t pair) { return store.get(first + pair); }

  /// Reads the queries of all pairs that start at a picture.
  ///
  /// @param picture its place in `pictures`
  /// @param map of that picture; null where no matcher asks for features
  /// @param query how a keypoint between cell centres reads its feature
  /// @throws as FeatureStore::put()
  void read(const Dataset& dataset, const PictureSet& pictures, std::size_t picture,
            const FeatureMap* map, Query query) {
    for (const std::size_t i : pictures.as_source[picture]) {
      cells[i] = pictures.pictures[picture].transform.to_grid(
          pictures.seen(picture, dataset.pairs[i].source_keypoints));
      if (map != nullptr) put(i, sample_descriptors(*map, cells[i], query));
    }
  }

 private:
  FeatureStore& store;
  std::size_t first;
};

}  // namespace homolog::inline v0_1
