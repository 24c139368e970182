// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// PF-PASCAL's lists without keypoints (train, val), which take them from `Annotations/`. Opt-in:
/// needs homolog::matlab.

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>

#include "homolog/datasets/matlab.hpp"
#include "homolog/datasets/pf_pascal.hpp"

namespace homolog::inline v0_1 {

/// Reads a picture's keypoints: the variable `kps` [N,2], where a row of NaN is an absent part.
///
/// @throws DatasetError for a missing or malformed file or a row with one NaN; PointError for a
/// coordinate that no picture can have
inline PartList load_pf_pascal_parts(const std::filesystem::path& path) {
  const MatlabMatrix kps = read_matlab_matrix(path, "kps", {-1, 2});
  PartList parts(kps.rows);
  for (std::size_t i = 0; i < kps.rows; ++i) {
    const Point<ImageFrame> point{kps(i, 0), kps(i, 1)};
    if (std::isnan(point.x) && std::isnan(point.y)) continue;
    if (std::isnan(point.x) || std::isnan(point.y)) {
      throw DatasetError(
          detail::text(path.string(), ": row ", i, " of 'kps' has one NaN, expected two or none"));
    }
    detail::require_plausible({point}, detail::text(path.string(), ", row ", i), "the");
    parts[i] = point;
  }
  return parts;
}

/// load_pf_pascal() that also reads lists without keypoints.
///
/// @throws as load_pf_pascal() and load_pf_pascal_parts()
inline Dataset load_pf_pascal_matlab(const std::filesystem::path& root, const std::string& split,
                                     PfPascalOptions options = {}) {
  options.read_parts = load_pf_pascal_parts;
  return load_pf_pascal(root, split, options);
}

}  // namespace homolog::inline v0_1
