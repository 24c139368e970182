// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of datasets/pf_willow_csv.hpp.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/detail/csv.hpp"
#include "homolog/datasets/pf_willow_csv.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE std::vector<PfWillowRow> parse_pf_willow_csv(std::string_view content,
                                                            const std::string& name) {
  const detail::Csv csv = detail::parse_csv(content, name);
  std::vector<std::string> header{"imageA", "imageB"};
  for (const char* column : {"XA", "YA", "XB", "YB"}) {
    for (std::size_t i = 1; i <= pf_willow_keypoints; ++i) {
      header.push_back(column + std::to_string(i));
    }
  }
  if (!std::equal(csv.header.begin(), csv.header.end(), header.begin(), header.end())) {
    throw DatasetError(detail::text(
        name, ": expected the header imageA,imageB,XA1..XA10,YA1..YA10,XB1..XB10,YB1..YB10, got '",
        printable_text(content.substr(0, content.find('\n'))), "'"));
  }
  std::vector<PfWillowRow> rows;
  rows.reserve(csv.rows.size());
  for (const detail::CsvRow& cells : csv.rows) {
    const std::string where = detail::text(name, " line ", cells.line);
    const auto points = [&](std::size_t first) {
      Points<ImageFrame> result(pf_willow_keypoints);
      for (std::size_t i = 0; i < pf_willow_keypoints; ++i) {
        result[i] = {detail::csv_number(cells.cells[first + i], where),
                     detail::csv_number(cells.cells[first + pf_willow_keypoints + i], where)};
      }
      return result;
    };
    PfWillowRow row{detail::csv_path(cells.cells[0], where),
                    detail::csv_path(cells.cells[1], where), points(2),
                    points(2 + 2 * pf_willow_keypoints), cells.line};
    detail::require_plausible(row.source_keypoints, where, "source");
    detail::require_plausible(row.target_keypoints, where, "target");
    rows.push_back(std::move(row));
  }
  if (rows.empty()) throw DatasetError(name + ": no pairs");
  return rows;
}

HOMOLOG_INLINE Dataset load_pf_willow_csv(const std::filesystem::path& root,
                                          const PfWillowOptions& options) {
  detail::require_directory(root);
  const std::filesystem::path list = root / "test_pairs.csv";
  const std::string content = detail::read_annotation(list, detail::list_bytes);
  Dataset dataset{"pf-willow", "test", ThresholdNorm::keypoint_box, {}};
  detail::PictureCheck pictures;
  std::map<std::string, int> repeats;
  for (PfWillowRow& row : parse_pf_willow_csv(content, list.string())) {
    const std::string where = detail::text(list.string(), " line ", row.line);
    std::string category[2];
    const auto inside = [&](const std::string& name, std::string& sub_class) {
      const auto parts = detail::split(name, '/');
      if (parts.size() != 3) {
        throw DatasetError(detail::text(where, ": expected a picture such as ",
                                        "PF-dataset/car(G)/a.png, got '", printable_text(name),
                                        "'"));
      }
      sub_class = parts[1];
      const auto direct = root / parts[1] / parts[2];
      std::error_code error;
      return std::filesystem::is_directory(root / parts[1], error) ? direct : root / name;
    };
    Pair pair;
    pair.source = inside(row.source, category[0]);
    pair.target = inside(row.target, category[1]);
    if (category[0] != category[1]) {
      throw DatasetError(detail::text(where, ": source and target are of two sub-classes, ",
                                      category[0], " and ", category[1]));
    }
    if (options.require_images) {
      pictures.require(pair.source, where);
      pictures.require(pair.target, where);
    }
    pair.category = category[0];
    pair.name =
        pair.category + "/" + pair.source.stem().string() + "-" + pair.target.stem().string();
    if (const int count = ++repeats[pair.name]; count > 1) {
      pair.name += "#" + std::to_string(count);
    }
    pair.source_keypoints = std::move(row.source_keypoints);
    pair.target_keypoints = std::move(row.target_keypoints);
    dataset.pairs.push_back(std::move(pair));
  }
  return dataset;
}

}  // namespace homolog::inline v0_1
