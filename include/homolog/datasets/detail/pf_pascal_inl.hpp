// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of datasets/pf_pascal.hpp.

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/detail/csv.hpp"
#include "homolog/datasets/leak_report.hpp"
#include "homolog/datasets/pf_pascal.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// x1;x2;... and y1;y2;... of equal length.
inline Points<ImageFrame> pf_pascal_points(std::string_view xs, std::string_view ys,
                                           const std::string& where, const char* which) {
  const auto x = split(xs, ';'), y = split(ys, ';');
  if (xs.empty() || ys.empty()) throw DatasetError(text(where, ": no ", which, " keypoints"));
  if (x.size() != y.size()) {
    throw DatasetError(
        text(where, ": ", x.size(), " x but ", y.size(), " y of ", which, " keypoints"));
  }
  Points<ImageFrame> points(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    points[i] = {csv_number(x[i], where), csv_number(y[i], where)};
  }
  require_plausible(points, where, which);
  return points;
}

}  // namespace detail

HOMOLOG_INLINE std::vector<PfPascalRow> parse_pf_pascal_csv(std::string_view content,
                                                            const std::string& name) {
  using Header = std::vector<std::string_view>;
  const Header base{"source_image", "target_image", "class"};
  const detail::Csv csv = detail::parse_csv(content, name);
  const auto header_is = [&](std::initializer_list<std::string_view> more) {
    Header header = base;
    header.insert(header.end(), more);
    return csv.header == header;
  };
  const bool only_flip = header_is({"flip"});
  const bool both = header_is({"flip", "XA", "YA", "XB", "YB"});
  if (!only_flip && !both && !header_is({"XA", "YA", "XB", "YB"})) {
    throw DatasetError(detail::text(
        name, ": expected the header source_image,target_image,class with flip or XA,YA,XB,YB, ",
        "got '", printable_text(content.substr(0, content.find('\n'))), "'"));
  }
  std::vector<PfPascalRow> rows;
  rows.reserve(csv.rows.size());
  for (const detail::CsvRow& cells : csv.rows) {
    const std::string where = detail::text(name, " line ", cells.line);
    PfPascalRow row;
    row.line = cells.line;
    row.source = detail::csv_path(cells.cells[0], where);
    row.target = detail::csv_path(cells.cells[1], where);
    const auto class_index = detail::parse_number<int>(cells.cells[2]);
    if (!class_index || *class_index < 1 || *class_index > 20) {
      throw DatasetError(detail::text(where, ": expected a class in 1..20, got '",
                                      printable_text(cells.cells[2]), "'"));
    }
    row.class_index = *class_index;
    std::size_t next = 3;
    if (only_flip || both) {
      if (cells.cells[3] != "0" && cells.cells[3] != "1") {
        throw DatasetError(detail::text(where, ": expected flip 0 or 1, got '",
                                        printable_text(cells.cells[3]), "'"));
      }
      row.flip = cells.cells[3] == "1";
      next = 4;
    }
    if (!only_flip) {
      row.has_keypoints = true;
      row.source_keypoints =
          detail::pf_pascal_points(cells.cells[next], cells.cells[next + 1], where, "source");
      row.target_keypoints =
          detail::pf_pascal_points(cells.cells[next + 2], cells.cells[next + 3], where, "target");
      if (row.source_keypoints.size() != row.target_keypoints.size()) {
        throw DatasetError(detail::text(where, ": ", row.source_keypoints.size(),
                                        " source keypoints but ", row.target_keypoints.size(),
                                        " target keypoints"));
      }
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) throw DatasetError(name + ": no pairs");
  return rows;
}

HOMOLOG_INLINE std::vector<PictureNames> picture_names(const std::vector<PfPascalRow>& rows) {
  std::vector<PictureNames> names;
  names.reserve(rows.size());
  for (const PfPascalRow& row : rows) names.emplace_back(row.source, row.target);
  return names;
}

namespace detail {

/// The file that lists a split; the form with keypoints is preferred, because it needs no further
/// annotation.
inline std::filesystem::path pf_pascal_list(const std::filesystem::path& root,
                                            const std::string& split) {
  const std::string names[] = {split + "_pairs_pf_pascal.csv", split + "_pairs.csv"};
  for (const auto& folder : {root, root / "image_pairs"}) {
    for (const std::string& name : names) {
      std::error_code error;
      if (std::filesystem::is_regular_file(folder / name, error)) return folder / name;
    }
  }
  throw DatasetError(text(root.string(), ": holds neither ", names[1], " nor ", names[0],
                          ", and its image_pairs/ does not either"));
}

/// The folder that holds `JPEGImages/`. Lists name pictures `PF-dataset-PASCAL/JPEGImages/...`;
/// `root` is that first folder itself or contains it.
inline std::filesystem::path pf_pascal_base(const std::filesystem::path& root) {
  std::error_code error;
  const auto nested = root / "PF-dataset-PASCAL";
  const bool is_nested = !std::filesystem::is_directory(root / "JPEGImages", error) &&
                         std::filesystem::is_directory(nested, error);
  return is_nested ? nested : root;
}

/// Keeps the keypoints of the parts that both pictures show.
inline void keep_common_parts(const PartList& source, const PartList& target,
                              const std::string& where, Pair& pair) {
  if (source.size() != target.size()) {
    throw DatasetError(text(where, ": annotations have ", source.size(), " and ", target.size(),
                            " parts, expected as many in both pictures"));
  }
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (!source[i] || !target[i]) continue;
    pair.source_keypoints.push_back(*source[i]);
    pair.target_keypoints.push_back(*target[i]);
    pair.keypoint_ids.push_back(static_cast<int>(i));
  }
  if (pair.source_keypoints.empty()) {
    throw DatasetError(where + ": the two pictures show no common keypoint");
  }
}

}  // namespace detail

HOMOLOG_INLINE Dataset load_pf_pascal(const std::filesystem::path& root, const std::string& split,
                                      const PfPascalOptions& options) {
  if (split != "train" && split != "val" && split != "test") {
    throw SettingError(detail::text("PF-PASCAL has the splits train, val and test, not '",
                                    printable_text(split), "'"));
  }
  detail::require_directory(root);
  const std::filesystem::path list = detail::pf_pascal_list(root, split);
  const std::string content = detail::read_annotation(list, detail::list_bytes);
  const std::filesystem::path base = detail::pf_pascal_base(root);
  Dataset dataset{"pf-pascal", split, ThresholdNorm::image_size, {}};
  detail::PictureCheck pictures;
  std::map<std::string, PartList> annotations;
  for (PfPascalRow& row : parse_pf_pascal_csv(content, list.string())) {
    const std::string where = detail::text(list.string(), " line ", row.line);
    const auto inside = [&](const std::string& name) {
      const std::size_t slash = name.find('/');
      if (slash == std::string::npos) {
        throw DatasetError(detail::text(where, ": expected a picture such as ",
                                        "PF-dataset-PASCAL/JPEGImages/a.jpg, got '",
                                        printable_text(name), "'"));
      }
      return base / name.substr(slash + 1);
    };
    Pair pair;
    pair.category = voc_categories[static_cast<std::size_t>(row.class_index - 1)];
    pair.source = inside(row.source);
    pair.target = inside(row.target);
    pair.flip = row.flip;
    // The train list repeats rows, so that only the line number makes a name unique.
    pair.name = detail::numbered_pair_name(row.line, pair.source, pair.target, pair.category);
    if (options.require_images) {
      pictures.require(pair.source, where);
      pictures.require(pair.target, where);
    }
    if (row.has_keypoints) {
      pair.source_keypoints = std::move(row.source_keypoints);
      pair.target_keypoints = std::move(row.target_keypoints);
    } else {
      if (!options.read_parts) {
        throw DatasetError(list.string() +
                           ": holds no keypoints; load_pf_pascal_matlab() reads them from "
                           "Annotations/");
      }
      const auto parts = [&](const std::filesystem::path& picture) -> const PartList& {
        const auto path = base / "Annotations" / pair.category / (picture.stem().string() + ".mat");
        const auto known = annotations.find(path.string());
        if (known != annotations.end()) return known->second;
        return annotations[path.string()] = options.read_parts(path);
      };
      const PartList& source = parts(pair.source);
      const PartList& target = parts(pair.target);
      detail::keep_common_parts(source, target, where, pair);
    }
    dataset.pairs.push_back(std::move(pair));
  }
  return dataset;
}

}  // namespace homolog::inline v0_1
