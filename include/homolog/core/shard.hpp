// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One process's part of a run on several.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

/// This process's part of a run on several; one process by default.
struct Shard {
  int index = 0;  ///< of this process, in [0, count)
  int count = 1;  ///< processes; with several `gather` is needed
  /// Returns, on every process, the strings that all processes passed, in the order of their
  /// indices. Every process must make the same calls in the same order; the strings may differ in
  /// length.
  std::function<std::vector<std::string>(const std::string& own)> gather;
};

/// @param what runs, for the error
/// @throws SettingError for an index out of range, or several processes without `gather`
inline void require_valid(const Shard& shard, const std::string& what) {
  if (shard.count >= 1 && shard.index >= 0 && shard.index < shard.count &&
      (shard.count == 1 || shard.gather)) {
    return;
  }
  throw SettingError(detail::text(what, ": process ", shard.index, " of ", shard.count,
                                  ", expected 0 to one below the count, and Shard::gather set "
                                  "where the count is above 1"));
}

/// Checks, by a digest of the work, that all processes of a run were given the same work.
///
/// @throws SettingError on every process when their digests differ
inline void require_agreement(const Shard& shard, const std::string& digest,
                              const std::string& what) {
  if (shard.count == 1) return;
  const std::vector<std::string> all = shard.gather(digest);
  if (all.size() != static_cast<std::size_t>(shard.count)) {
    throw SettingError(detail::text(what, ": gather returned ", all.size(), " strings, expected ",
                                    shard.count, ", one per process"));
  }
  for (std::size_t k = 1; k < all.size(); ++k) {
    if (all[k] == all[k - 1]) continue;
    throw SettingError(
        detail::text(what, ": process ", k, " has other settings or pairs than process ", k - 1));
  }
}

}  // namespace homolog::inline v0_1
