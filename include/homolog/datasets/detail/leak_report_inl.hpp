// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of datasets/leak_report.hpp.

#include <set>
#include <string>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/leak_report.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE LeakReport leak_report(const std::vector<PictureNames>& tested,
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

HOMOLOG_INLINE std::vector<PictureNames> picture_names(const Dataset& dataset) {
  std::vector<PictureNames> names;
  names.reserve(dataset.pairs.size());
  for (const Pair& pair : dataset.pairs) {
    names.emplace_back(pair.source.string(), pair.target.string());
  }
  return names;
}

}  // namespace homolog::inline v0_1
