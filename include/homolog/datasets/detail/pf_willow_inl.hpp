// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of datasets/pf_willow.hpp.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/detail/annotation_file.hpp"
#include "homolog/datasets/matlab.hpp"
#include "homolog/datasets/pf_willow.hpp"
#include "homolog/datasets/pf_willow_csv.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE Points<ImageFrame> load_pf_willow_keypoints(const std::filesystem::path& path) {
  const auto matrix =
      read_matlab_matrix(path, "pts_coord", {2, static_cast<std::ptrdiff_t>(pf_willow_keypoints)});
  Points<ImageFrame> points(matrix.cols);
  for (std::size_t i = 0; i < matrix.cols; ++i) points[i] = {matrix(0, i), matrix(1, i)};
  detail::require_plausible(points, path.string(), "the");
  return points;
}

namespace detail {

/// Entries of a folder in the order of their names, so that a data set does not depend on the
/// file system.
inline std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> entries;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    entries.push_back(entry->path());
  }
  if (error) throw DatasetError(text(folder.string(), ": ", error.message()));
  std::sort(entries.begin(), entries.end());
  return entries;
}

/// A picture and its keypoints.
struct WillowPicture {
  std::filesystem::path path;
  Points<ImageFrame> keypoints;
};

/// The pictures of one sub-class in the order of their names; none when the folder holds neither
/// pictures nor annotations.
inline std::vector<WillowPicture> read_willow_folder(const std::filesystem::path& folder) {
  std::map<std::string, std::set<std::string>> extensions;  // by stem
  for (const auto& path : sorted_entries(folder)) {
    const std::string extension = path.extension().string();
    if (extension == ".png" || extension == ".mat") {
      extensions[path.stem().string()].insert(extension);
    }
  }
  std::vector<WillowPicture> pictures;
  for (const auto& [stem, found] : extensions) {
    for (const char* extension : {".png", ".mat"}) {
      if (!found.contains(extension)) {
        throw DatasetError(
            (folder / (stem + extension)).string() +
            " is missing: each picture in a folder of PF-WILLOW, such as car(G), needs "
            "its .png and its .mat; is " +
            folder.parent_path().string() + " the folder of those folders?");
      }
    }
    pictures.push_back(
        {folder / (stem + ".png"), load_pf_willow_keypoints(folder / (stem + ".mat"))});
  }
  if (pictures.size() == 1) {
    throw DatasetError(folder.string() + ": holds one picture only, and a pair needs two");
  }
  return pictures;
}

}  // namespace detail

HOMOLOG_INLINE Dataset load_pf_willow(const std::filesystem::path& root,
                                      const PfWillowOptions& options) {
  detail::require_directory(root);
  std::error_code error;
  if (std::filesystem::exists(root / "test_pairs.csv", error)) {
    return load_pf_willow_csv(root, options);
  }
  Dataset dataset{"pf-willow", "test", ThresholdNorm::keypoint_box, {}};
  for (const auto& folder : detail::sorted_entries(root)) {
    if (!std::filesystem::is_directory(folder, error)) continue;
    const auto pictures = detail::read_willow_folder(folder);
    const std::string category = folder.filename().string();
    for (const auto& source : pictures) {
      for (const auto& target : pictures) {
        if (&source == &target) continue;
        Pair pair;
        pair.category = category;
        pair.name =
            category + "/" + source.path.stem().string() + "-" + target.path.stem().string();
        pair.source = source.path;
        pair.target = target.path;
        pair.source_keypoints = source.keypoints;
        pair.target_keypoints = target.keypoints;
        dataset.pairs.push_back(std::move(pair));
      }
    }
  }
  if (dataset.pairs.empty()) {
    throw DatasetError(root.string() +
                       ": no folder with .png and .mat files, such as car(G), so no "
                       "pairs; give the folder that holds those folders");
  }
  return dataset;
}

}  // namespace homolog::inline v0_1
