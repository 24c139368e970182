// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How much of a test split also occurs in a training split, compared by the names of the pictures.

#include <cstddef>
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
LeakReport leak_report(const std::vector<PictureNames>& tested,
                       const std::vector<PictureNames>& trained);

/// The pictures of a data set's pairs, by path.
std::vector<PictureNames> picture_names(const Dataset& dataset);

/// Compares two splits by the paths of their pictures.
inline LeakReport leak_report(const Dataset& tested, const Dataset& trained) {
  return leak_report(picture_names(tested), picture_names(trained));
}

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/datasets/detail/leak_report_inl.hpp"
#endif
