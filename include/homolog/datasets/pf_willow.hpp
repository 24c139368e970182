// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// PF-WILLOW as it was released: a folder a sub-class, each picture with a `.mat` of ten keypoints.
/// Opt-in: needs homolog::matlab.

#include <filesystem>

#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/pf_willow_csv.hpp"

namespace homolog::inline v0_1 {

/// Reads a picture's keypoints [10,2] px: the variable `pts_coord` [2,10], rows x and y.
///
/// @throws DatasetError for a missing or malformed file; PointError for a coordinate that no
/// picture can have
Points<ImageFrame> load_pf_willow_keypoints(const std::filesystem::path& path);

/// Reads all ordered pairs (900 of the whole set), or those of `ROOT/test_pairs.csv` where that
/// file exists.
///
/// The category is the folder's name, such as car(G); names are `car(G)/SOURCE-TARGET`; the PCK
/// threshold is relative to the bounding box of the ten target keypoints. Folders without `.png`
/// and `.mat` files are ignored.
///
/// @throws DatasetError when the folder or a file is missing or malformed, or there is no pair;
/// PointError for a coordinate that no picture can have
Dataset load_pf_willow(const std::filesystem::path& root, const PfWillowOptions& options = {});

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/datasets/detail/pf_willow_inl.hpp"
#endif
