// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// PF-WILLOW from the published list of pairs, `test_pairs.csv`.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/datasets/dataset.hpp"

namespace homolog::inline v0_1 {

/// Keypoints of every PF-WILLOW picture.
inline constexpr std::size_t pf_willow_keypoints = 10;

/// How to load PF-WILLOW.
struct PfWillowOptions {
  bool require_images = true;  ///< false: load the list although the pictures are not there
};

/// One row of the list, pictures named as in the file.
struct PfWillowRow {
  std::string source;                   ///< such as `PF-dataset/car(G)/a.png`
  std::string target;                   ///< as `source`
  Points<ImageFrame> source_keypoints;  ///< [10,2] px
  Points<ImageFrame> target_keypoints;  ///< [10,2] px
  std::size_t line = 0;                 ///< 1-based, in the file
};

/// Reads a list with the columns imageA, imageB, XA1..XA10, YA1..YA10, XB1..XB10, YB1..YB10.
///
/// @param name what the text is called in errors
/// @throws DatasetError for another header or a malformed row; PointError for a coordinate that no
/// picture can have
std::vector<PfWillowRow> parse_pf_willow_csv(std::string_view content, const std::string& name);

/// Reads `ROOT/test_pairs.csv`, whose pictures `PREFIX/SUB-CLASS/FILE` lie in `ROOT/SUB-CLASS/` or
/// `ROOT/PREFIX/SUB-CLASS/`.
///
/// The category is the sub-class, such as car(G); the PCK threshold is relative to the bounding box
/// of the ten target keypoints.
///
/// @throws DatasetError when the folder, the list or a picture is missing, or a row is malformed;
/// PointError for a coordinate that no picture can have
Dataset load_pf_willow_csv(const std::filesystem::path& root, const PfWillowOptions& options = {});

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/datasets/detail/pf_willow_csv_inl.hpp"
#endif
