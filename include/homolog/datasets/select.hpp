// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Parts of a data set.

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/datasets/dataset.hpp"

namespace homolog::inline v0_1 {

/// Keeps the pairs of the given categories, then the first `limit` of them, in their order.
///
/// @param categories empty keeps all
/// @param limit 0 keeps all
/// @throws DatasetError when no pair is of one of the categories, naming it
inline Dataset select_pairs(Dataset dataset, const std::vector<std::string>& categories,
                            std::size_t limit = 0) {
  for (const auto& category : categories) {
    if (std::none_of(dataset.pairs.begin(), dataset.pairs.end(),
                     [&](const Pair& pair) { return pair.category == category; })) {
      std::set<std::string> known;
      for (const Pair& pair : dataset.pairs) known.insert(pair.category);
      std::string names;
      for (const std::string& name : known) names += detail::text(names.empty() ? "" : ", ", name);
      throw DatasetError(detail::text(dataset.name, " ", dataset.split, ": no pair of category '",
                                      category, "'; it has ", names));
    }
  }
  if (!categories.empty()) {
    std::erase_if(dataset.pairs, [&](const Pair& pair) {
      return std::find(categories.begin(), categories.end(), pair.category) == categories.end();
    });
  }
  if (limit > 0 && dataset.pairs.size() > limit) dataset.pairs.resize(limit);
  return dataset;
}

}  // namespace homolog::inline v0_1
