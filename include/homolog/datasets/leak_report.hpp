// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How much of a test split also occurs in a training split, compared by the names of the pictures.

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "homolog/datasets/dataset.hpp"

namespace homolog::inline v0_1 {

/// Names of two pictures, source first.
using PictureNames = std::pair<std::string, std::string>;

/// Overlap of a tested list of pairs with a trained one. Pairs are counted as often as the tested
/// list has them.
struct LeakReport {
  std::size_t pairs = 0;                ///< tested
  std::size_t pairs_seen = 0;           ///< of these, in the trained list, in the same order
  std::size_t pairs_seen_reversed = 0;  ///< of these, in the trained list, in the other order
  std::size_t pairs_unseen_images = 0;  ///< of these, with neither picture in the trained list
  std::size_t pairs_both_orders = 0;    ///< unordered tested pairs that stand in both orders
  std::size_t images = 0;               ///< distinct, tested
  std::size_t images_seen = 0;          ///< of these, in the trained list
  std::size_t trained_pairs = 0;        ///< trained
  std::size_t trained_distinct = 0;     ///< of these, distinct with order
  std::size_t trained_unordered = 0;    ///< of these, distinct without order
  /// Equal when all counts are.
  friend bool operator==(const LeakReport&, const LeakReport&) = default;
};

/// Compares two lists of pairs.
inline LeakReport leak_report(const std::vector<PictureNames>& tested,
                              const std::vector<PictureNames>& trained) {
  const auto reversed = [](const PictureNames& p) { return PictureNames{p.second, p.first}; };
  LeakReport report;
  std::set<PictureNames> trained_set, unordered;
  std::set<std::string> trained_images, images;
  for (const PictureNames& pair : trained) {
    trained_set.insert(pair);
    unordered.insert(pair.first < pair.second ? pair : reversed(pair));
    trained_images.insert(pair.first);
    trained_images.insert(pair.second);
  }
  std::set<PictureNames> tested_set;
  for (const PictureNames& pair : tested) {
    tested_set.insert(pair);
    images.insert(pair.first);
    images.insert(pair.second);
    report.pairs_seen += trained_set.count(pair);
    report.pairs_seen_reversed += trained_set.count(reversed(pair));
    if (!trained_images.contains(pair.first) && !trained_images.contains(pair.second)) {
      ++report.pairs_unseen_images;
    }
  }
  for (const PictureNames& pair : tested_set) {
    if (pair.first < pair.second) report.pairs_both_orders += tested_set.count(reversed(pair));
  }
  for (const std::string& image : images) report.images_seen += trained_images.count(image);
  report.pairs = tested.size();
  report.images = images.size();
  report.trained_pairs = trained.size();
  report.trained_distinct = trained_set.size();
  report.trained_unordered = unordered.size();
  return report;
}

/// The pictures of a data set's pairs, by path.
inline std::vector<PictureNames> picture_names(const Dataset& dataset) {
  std::vector<PictureNames> names;
  names.reserve(dataset.pairs.size());
  for (const Pair& pair : dataset.pairs) {
    names.emplace_back(pair.source.string(), pair.target.string());
  }
  return names;
}

/// Compares two splits by the paths of their pictures.
inline LeakReport leak_report(const Dataset& tested, const Dataset& trained) {
  return leak_report(picture_names(tested), picture_names(trained));
}

}  // namespace homolog::inline v0_1
