// SPDX-License-Identifier: Apache-2.0
#pragma once

// A data set of drawn things of eight categories with shared keypoints, in SPair-71k's layout. It
// checks and times whole pipelines where no photographs are at hand; a score on it says little
// about photographs.

#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/core/points.hpp"
#include "homolog/core/progress.hpp"
#include "homolog/images/encode.hpp"
#include "homolog/images/image.hpp"
#include "integers.hpp"
#include "picture.hpp"

namespace drawn_set {

// Size and seed of the data set. The same setting gives the same bytes on any machine.
struct Setting {
  std::uint64_t seed = 1;   // another one draws other pictures and pairs
  int train_images = 24;    // pictures a category in the split "trn"
  int val_images = 8;       // pictures a category in the split "val"
  int test_images = 12;     // pictures a category in the split "test"
  int pairs_per_image = 5;  // pairs a picture is the source of, at most
};

struct DrawnPicture {
  std::string stem;
  homolog::Size size;
  Box box;
  std::vector<std::optional<Keypoint>> keypoints;
  bool truncated, occluded;
};

inline nlohmann::ordered_json json_point(Keypoint point) {
  return {static_cast<int>(point.x), static_cast<int>(point.y)};
}
inline nlohmann::ordered_json json_box(const Box& box) {
  return {static_cast<int>(box.x1), static_cast<int>(box.y1), static_cast<int>(box.x2),
          static_cast<int>(box.y2)};
}

inline void write_image_annotation(const std::filesystem::path& path, const std::string& category,
                                   const DrawnPicture& picture) {
  nlohmann::ordered_json keypoints;
  for (std::size_t id = 0; id < 30; ++id) {
    const bool seen = id < picture.keypoints.size() && picture.keypoints[id].has_value();
    keypoints[std::to_string(id)] =
        seen ? json_point(*picture.keypoints[id]) : nlohmann::ordered_json(nullptr);
  }
  const nlohmann::ordered_json json{{"filename", picture.stem + ".jpg"},
                                    {"src_database", "homolog synthetic"},
                                    {"src_annotation", "homolog synthetic"},
                                    {"src_image", "drawn"},
                                    {"image_width", picture.size.width},
                                    {"image_height", picture.size.height},
                                    {"image_depth", 3},
                                    {"category", category},
                                    {"pose", "Unspecified"},
                                    {"truncated", picture.truncated ? 1 : 0},
                                    {"occluded", picture.occluded ? 1 : 0},
                                    {"difficult", 0},
                                    {"bndbox", json_box(picture.box)},
                                    {"kps", keypoints},
                                    {"azimuth_id", 0}};
  homolog::write_file_atomically(path, homolog::json_text(json));
}

// Writes a pair when at least three keypoints are visible in both pictures.
//
// It returns the layout's line, which is empty when they share too few.
inline std::string write_pair(const std::filesystem::path& folder, std::size_t number,
                              const std::string& category, const DrawnPicture& source,
                              const DrawnPicture& target) {
  auto ids = nlohmann::ordered_json::array(), from = ids, to = ids;
  for (std::size_t id = 0; id < source.keypoints.size(); ++id) {
    if (!source.keypoints[id] || !target.keypoints[id]) continue;
    ids.push_back(std::to_string(id));
    from.push_back(json_point(*source.keypoints[id]));
    to.push_back(json_point(*target.keypoints[id]));
  }
  if (ids.size() < 3) return {};
  std::string digits = std::to_string(number);
  digits.insert(0, digits.size() < 6 ? 6 - digits.size() : 0, '0');
  std::string line = digits + "-" + source.stem + "-" + target.stem + ":" + category;
  const auto area = [](const Box& box) { return box.width() * box.height(); };
  const double ratio = area(source.box) / area(target.box);
  const int scale = ratio > 4 || ratio < 0.25 ? 2 : ratio > 2 || ratio < 0.5 ? 1 : 0;
  const auto both = [](bool a, bool b) { return a && b ? 3 : b ? 2 : a ? 1 : 0; };
  const auto size = [](homolog::Size s) { return nlohmann::ordered_json{s.width, s.height, 3}; };
  const nlohmann::ordered_json json{{"pair_id", number},
                                    {"filename", line},
                                    {"src_imname", source.stem + ".jpg"},
                                    {"trg_imname", target.stem + ".jpg"},
                                    {"src_imsize", size(source.size)},
                                    {"trg_imsize", size(target.size)},
                                    {"src_bndbox", json_box(source.box)},
                                    {"trg_bndbox", json_box(target.box)},
                                    {"category", category},
                                    {"src_pose", "Unspecified"},
                                    {"trg_pose", "Unspecified"},
                                    {"src_kps", from},
                                    {"trg_kps", to},
                                    {"kps_ids", ids},
                                    {"mirror", 0},
                                    {"viewpoint_variation", 0},
                                    {"scale_variation", scale},
                                    {"truncation", both(source.truncated, target.truncated)},
                                    {"occlusion", both(source.occluded, target.occluded)}};
  homolog::write_file_atomically(folder / (line + ".json"), homolog::json_text(json));
  return line;
}

inline void write_set(const std::filesystem::path& root, const Setting& setting,
                      const homolog::ProgressCallback& progress) {
  const auto categories = category_names();
  const std::array<std::pair<std::string, int>, 3> splits{
      {{"trn", setting.train_images}, {"val", setting.val_images}, {"test", setting.test_images}}};
  for (const char* layout : {"large", "small"}) {
    std::filesystem::create_directories(root / "Layout" / layout);
  }
  const std::size_t total =
      categories.size() *
      static_cast<std::size_t>(setting.train_images + setting.val_images + setting.test_images);
  std::size_t done = 0;
  for (std::size_t split = 0; split < splits.size(); ++split) {
    const auto& [name, images] = splits[split];
    const auto pairs_folder = root / "PairAnnotation" / name;
    std::filesystem::create_directories(pairs_folder);
    std::string large_lines, small_lines;
    std::size_t number = 0;
    for (std::size_t c = 0; c < categories.size(); ++c) {
      const auto pictures_folder = root / "JPEGImages" / categories[c];
      const auto annotations_folder = root / "ImageAnnotation" / categories[c];
      std::filesystem::create_directories(pictures_folder);
      std::filesystem::create_directories(annotations_folder);
      std::vector<DrawnPicture> drawn;
      for (int i = 0; i < images; ++i) {
        // Two pictures an individual, and no individual in two splits.
        const std::uint64_t individual = 1000 * split + static_cast<std::size_t>(i) / 2;
        const auto picture =
            draw_picture(c, individual, static_cast<std::uint64_t>(i), setting.seed);
        const std::string stem = name + "_" + std::to_string(i / 10) + std::to_string(i % 10);
        drawn.push_back({stem, picture.image.size(), picture.box, picture.keypoints,
                         picture.truncated, picture.occluded});
        homolog::write_file_atomically(pictures_folder / (stem + ".jpg"),
                                       homolog::encode_jpeg(picture.image, 90));
        write_image_annotation(annotations_folder / (stem + ".json"), categories[c], drawn.back());
        if (progress) progress("pictures", ++done, total);
      }
      RandomStream random(stream_seed, {setting.seed, 3, c, split});
      for (std::size_t source = 0; source < drawn.size(); ++source) {
        std::vector<std::size_t> targets;
        for (std::size_t t = 0; t < drawn.size(); ++t) {
          if (t != source) targets.push_back(t);
        }
        for (std::size_t t = targets.size(); t > 1; --t) {
          std::swap(targets[t - 1], targets[random.below(t)]);
        }
        int written = 0;
        for (const std::size_t target : targets) {
          if (written == setting.pairs_per_image) break;
          const std::string line =
              write_pair(pairs_folder, number, categories[c], drawn[source], drawn[target]);
          if (line.empty()) continue;
          large_lines += line + "\n";
          if (written == 0) small_lines += line + "\n";
          ++written, ++number;
        }
      }
    }
    homolog::write_file_atomically(root / "Layout" / "large" / (name + ".txt"), large_lines);
    homolog::write_file_atomically(root / "Layout" / "small" / (name + ".txt"), small_lines);
  }
}

// Writes the whole data set: JPEGImages, ImageAnnotation, PairAnnotation and Layout, to be read
// with load_spair(). It is made beside `root` and moved there when complete.
//
// The one stage of `progress` is "pictures". It throws DatasetError when `root` exists and is not
// an empty folder, SettingError for counts below 2 (1 for pairs), and FileError when the disk
// fails; nothing is left behind then.
inline void generate(const std::filesystem::path& root, const Setting& setting = {},
                     const homolog::ProgressCallback& progress = {}) {
  for (const int count : {setting.train_images, setting.val_images, setting.test_images}) {
    if (count < 2 || count > 99) {
      throw homolog::SettingError("synthetic set: " + std::to_string(count) +
                                  " pictures a category in a split, expected 2 to 99");
    }
  }
  if (setting.pairs_per_image < 1)
    throw homolog::SettingError("synthetic set: no pairs were asked for");
  std::error_code error;
  const bool exists = std::filesystem::exists(root, error);
  if (exists &&
      !(std::filesystem::is_directory(root, error) && std::filesystem::is_empty(root, error))) {
    throw homolog::DatasetError(root.string() + ": exists and is not an empty folder");
  }
  const std::filesystem::path making = root.string() + ".tmp" + std::to_string(::getpid());
  try {
    write_set(making, setting, progress);
    std::filesystem::rename(making, root);
  } catch (const std::filesystem::filesystem_error& failure) {
    homolog::remove_folder(making);
    throw homolog::FileError(root.string() + ": cannot be made: " + failure.code().message());
  } catch (...) {
    homolog::remove_folder(making);
    throw;
  }
}

}  // namespace drawn_set
