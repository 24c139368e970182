// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// PF-PASCAL from its published lists of pairs. Lists without keypoints need the `.mat`
/// annotations, which datasets/pf_pascal_matlab.hpp reads (opt-in).

#include <array>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/detail/csv.hpp"
#include "homolog/datasets/leak_report.hpp"

namespace homolog::inline v0_1 {

/// PASCAL VOC's categories in the order of the lists' 1-based class column.
inline constexpr std::array<std::string_view, 20> voc_categories{
    "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",      "car",
    "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",    "motorbike",
    "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor"};

/// One row of a list, pictures named as in the file.
struct PfPascalRow {
  std::string source;                   ///< such as `PF-dataset-PASCAL/JPEGImages/a.jpg`
  std::string target;                   ///< as `source`
  int class_index = 0;                  ///< 1..20
  bool flip = false;                    ///< both pictures are to be mirrored
  bool has_keypoints = false;           ///< the list itself holds them
  Points<ImageFrame> source_keypoints;  ///< [N,2] px
  Points<ImageFrame> target_keypoints;  ///< [N,2] px
  std::size_t line = 0;                 ///< 1-based, in the file
};

/// Keypoints of one picture, one entry a part; empty where the part is absent.
using PartList = std::vector<std::optional<Point<ImageFrame>>>;

/// How to load PF-PASCAL.
struct PfPascalOptions {
  bool require_images = true;  ///< false: load the list although the pictures are not there
  /// Reads a picture's keypoints from its annotation, for lists that hold none.
  std::function<PartList(const std::filesystem::path&)> read_parts;
};

/// Reads a list: `source_image,target_image,class` and then `XA,YA,XB,YB` (test; val as published
/// with keypoints), `flip` (train, val), or `flip,XA,YA,XB,YB`; the four lists separate numbers by
/// `;`.
///
/// @param name what the text is called in errors
/// @throws DatasetError for another header or a malformed row; PointError for a coordinate that no
/// picture can have
std::vector<PfPascalRow> parse_pf_pascal_csv(std::string_view content, const std::string& name);

/// The pictures of a list's rows, for leak_report().
std::vector<PictureNames> picture_names(const std::vector<PfPascalRow>& rows);

/// Compares two lists by the names of their pictures.
inline LeakReport leak_report(const std::vector<PfPascalRow>& tested,
                              const std::vector<PfPascalRow>& trained) {
  return leak_report(picture_names(tested), picture_names(trained));
}

/// Reads one split from `ROOT/` or `ROOT/image_pairs/`: `SPLIT_pairs_pf_pascal.csv`, else
/// `SPLIT_pairs.csv`.
///
/// The PCK threshold is relative to the larger side of the target picture. Coordinates are kept as
/// published (1-based MATLAB pixels). `Pair::flip` carries the flip column; keypoints are not
/// mirrored here. A row without keypoints takes them from `Annotations/CLASS/STEM.mat`, where NaN
/// marks a part that is absent; only parts that both pictures show are kept.
///
/// @param split "train", "val" or "test"
/// @throws SettingError for another split; DatasetError when a folder, list, annotation or picture
/// is missing or malformed, or rows hold no keypoints and the options have no reader for them (see
/// load_pf_pascal_matlab()); PointError for a coordinate that no picture can have
Dataset load_pf_pascal(const std::filesystem::path& root, const std::string& split,
                       const PfPascalOptions& options = {});

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/datasets/detail/pf_pascal_inl.hpp"
#endif
