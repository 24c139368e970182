// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A data set of our own: drawn things of eight categories with shared keypoints, in SPair-71k's
/// layout. It checks and times whole pipelines where no photographs are at hand; a score on it says
/// little about photographs.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "homolog/core/detail/json_text.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/points.hpp"
#include "homolog/datasets/detail/drawn_things.hpp"
#include "homolog/images/encode.hpp"
#include "homolog/images/image.hpp"

namespace homolog::inline v0_1 {

/// Size and seed of the synthetic data set. The same setting gives the same bytes on any machine.
struct SyntheticSetting {
  std::uint64_t seed = 1;   ///< another one draws other pictures and pairs
  int train_images = 24;    ///< pictures a category in the split "trn"
  int val_images = 8;       ///< pictures a category in the split "val"
  int test_images = 12;     ///< pictures a category in the split "test"
  int pairs_per_image = 5;  ///< pairs a picture is the source of, at most
};

/// One drawn picture with its annotation.
struct SyntheticPicture {
  Image image;          ///< the thing, its background and what hides it
  Box<ImageFrame> box;  ///< [px] integer corners of the thing as drawn, before anything hides it
  std::vector<std::optional<Point<ImageFrame>>> keypoints;  ///< by id; empty when hidden or outside
  bool truncated = false;  ///< the thing reaches the picture's border
  bool occluded = false;   ///< a shape was drawn somewhere on its box
};

/// Names of the categories, sorted.
inline std::vector<std::string> synthetic_categories() {
  std::vector<std::string> names;
  for (const auto& [name, build] : detail::drawn::synthetic_things) names.emplace_back(name);
  return names;
}

namespace detail::drawn {

inline Shade random_shade(SyntheticRandom& random, std::int64_t low, std::int64_t high) {
  Shade shade;
  for (int& channel : shade) channel = static_cast<int>(random.between(low, high));
  return shade;
}

/// A random soft shape: the clutter of backgrounds, and what hides part of a thing.
inline Part random_shape(SyntheticRandom& random, Vec at, std::int64_t size, int layer) {
  Part part;
  part.layer_id = layer;
  part.colour = random_shade(random, 40, 230);
  part.second = random_shade(random, 40, 230);
  part.texture = std::array{Texture::shaded, Texture::stripes, Texture::spots,
                            Texture::plain}[static_cast<std::size_t>(random.between(0, 3))];
  const std::int64_t angle = random.between(0, 3599);
  if (random.chance(50)) {
    part.shape = Part::Shape::ellipse;
    part.points = {at, away(at, size, angle),
                   away(at, size * random.between(30, 90) / 100, angle + 900)};
  } else {
    part.points = {away(at, size, angle), away(at, -size, angle)};
    part.radius_a = size * random.between(20, 45) / 100;
    part.radius_b = size * random.between(20, 45) / 100;
  }
  return part;
}

inline void paint_background(Canvas& canvas, SyntheticRandom& random) {
  const std::int64_t w = canvas.width * subpixels, h = canvas.height * subpixels;
  Part sky;
  sky.shape = Part::Shape::polygon;
  sky.points = {{-1, -1}, {-1, h + 1}, {w + 1, h + 1}, {w + 1, -1}};
  sky.colour = random_shade(random, 120, 240);
  sky.second = random_shade(random, 90, 230);
  canvas.paint(sky);
  Part ground = sky;
  const std::int64_t horizon = h * random.between(45, 80) / 100;
  ground.points = {{-1, horizon},
                   {-1, h + 1},
                   {w + 1, h + 1},
                   {w + 1, horizon + random.between(-h / 10, h / 10)}};
  ground.colour = random_shade(random, 60, 200);
  ground.second = random_shade(random, 60, 200);
  ground.texture = random.chance(40) ? Texture::stripes : Texture::shaded;
  canvas.paint(ground);
  for (std::int64_t i = random.between(4, 9); i > 0; --i) {
    // One draw a statement: in which order a call draws its arguments is up to the compiler.
    const std::int64_t size = random.between(w / 30, w / 8);
    const Vec at{random.between(0, w), random.between(0, h)};
    canvas.paint(random_shape(random, at, size, 0));
  }
}

/// Where a thing stands in its picture: thing coordinates to placed units.
struct Placement {
  std::int64_t scale, angle, mirror;  ///< placed units per 4096 thing units; tenths; +1 or -1
  Vec shift;
  Vec operator()(Vec p) const {
    const std::int64_t x = p.x * mirror;
    return {(x * cosine(angle) - p.y * sine(angle)) / 4096 * scale / 4096 + shift.x,
            (x * sine(angle) + p.y * cosine(angle)) / 4096 * scale / 4096 + shift.y};
  }
};

}  // namespace detail::drawn

/// Draws one picture.
///
/// @param category index into synthetic_categories()
/// @param instance which individual: proportions and colours
/// @param view which picture of it: pose, mirror, scale, turn, place, background, occluder
/// @param seed of the data set
/// @throws SettingError for a category that does not exist
inline SyntheticPicture draw_synthetic(std::size_t category, std::uint64_t instance,
                                       std::uint64_t view, std::uint64_t seed) {
  using namespace detail::drawn;
  if (category >= std::size(synthetic_things)) {
    throw SettingError(detail::text("synthetic category ", category, ", expected below ",
                                    std::size(synthetic_things)));
  }
  SyntheticRandom body{seed, 1, category, instance};
  SyntheticRandom random{seed, 2, category, instance, view};
  Builder builder{{}, Coat(body), body, random};
  synthetic_things[category].second(builder);

  const int width = static_cast<int>(random.between(200, 320));
  const int height = static_cast<int>(random.between(180, 280));
  Canvas canvas(width, height);
  paint_background(canvas, random);

  // The thing's turned extent decides how large it may stand in the picture.
  Placement place{4096, random.between(-250, 250), random.chance(50) ? -1 : 1, {}};
  std::int64_t left = 1 << 30, right = -left, top = left, bottom = -left;
  for (const Vec point : builder.thing.keypoints) {
    const Vec at = place(point);
    left = (std::min)(left, at.x), right = (std::max)(right, at.x);
    top = (std::min)(top, at.y), bottom = (std::max)(bottom, at.y);
  }
  const std::int64_t w = width * subpixels, h = height * subpixels;
  const std::int64_t room = (std::min)(w * 4096 / (right - left), h * 4096 / (bottom - top));
  place.scale = room * random.between(42, 92) / 100;
  const auto slot = [&](std::int64_t low, std::int64_t high, std::int64_t picture) {
    const std::int64_t size = (high - low) * place.scale / 4096, slack = picture / 14;
    return random.between(-slack, picture - size + slack) - low * place.scale / 4096;
  };
  place.shift = {slot(left, right, w), slot(top, bottom, h)};

  for (Part part : builder.thing.parts) {
    for (Vec& point : part.points) point = place(point);
    part.radius_a = part.radius_a * place.scale / 4096;
    part.radius_b = part.radius_b * place.scale / 4096;
    canvas.paint(part);
  }
  SyntheticPicture picture;
  // The box is the thing's painted extent, before anything hides it.
  int x1 = width, y1 = height, x2 = -1, y2 = -1;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      if (canvas.layers[canvas.index(2 * x, 2 * y)] != 1) continue;
      x1 = (std::min)(x1, x), x2 = (std::max)(x2, x), y1 = (std::min)(y1, y),
      y2 = (std::max)(y2, y);
    }
  }
  picture.box = {double(x1), double(y1), double(x2), double(y2)};
  picture.truncated = x1 == 0 || y1 == 0 || x2 == width - 1 || y2 == height - 1;
  picture.occluded = random.chance(45);
  if (picture.occluded) {
    const Vec at{random.between(x1, x2) * subpixels, random.between(y1, y2) * subpixels};
    canvas.paint(random_shape(
        random, at, (std::max)(x2 - x1, y2 - y1) * subpixels * random.between(9, 18) / 100, 2));
  }
  for (const Vec point : builder.thing.keypoints) {
    const Vec at = place(point);
    const int layer = canvas.layer_at(at);
    if (layer == 0 || layer == 1) {
      const auto x = static_cast<double>(at.x / subpixels),
                 y = static_cast<double>(at.y / subpixels);
      picture.keypoints.push_back(Point<ImageFrame>{x, y});
    } else {
      picture.keypoints.push_back(std::nullopt);
    }
  }
  const int noise = static_cast<int>(random.between(2, 8));
  picture.image = canvas.picture(random.next(), noise);
  return picture;
}

namespace detail::drawn {

struct DrawnPicture {
  std::string stem;
  Size size;
  Box<ImageFrame> box;
  std::vector<std::optional<Point<ImageFrame>>> keypoints;
  bool truncated, occluded;
};

inline nlohmann::ordered_json json_point(Point<ImageFrame> point) {
  return {static_cast<int>(point.x), static_cast<int>(point.y)};
}
inline nlohmann::ordered_json json_box(const Box<ImageFrame>& box) {
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
  write_file_atomically(path, detail::json_text(json));
}

/// Writes a pair when at least three keypoints are visible in both pictures.
///
/// @return the layout's line, empty when too few
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
  const auto area = [](const Box<ImageFrame>& box) { return box.width() * box.height(); };
  const double ratio = area(source.box) / area(target.box);
  const int scale = ratio > 4 || ratio < 0.25 ? 2 : ratio > 2 || ratio < 0.5 ? 1 : 0;
  const auto both = [](bool a, bool b) { return a && b ? 3 : b ? 2 : a ? 1 : 0; };
  const auto size = [](Size s) { return nlohmann::ordered_json{s.width, s.height, 3}; };
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
  write_file_atomically(folder / (line + ".json"), detail::json_text(json));
  return line;
}

inline void write_synthetic(const std::filesystem::path& root, const SyntheticSetting& setting,
                            const std::function<void(std::size_t, std::size_t)>& progress) {
  const auto categories = synthetic_categories();
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
            draw_synthetic(c, individual, static_cast<std::uint64_t>(i), setting.seed);
        const std::string stem = name + "_" + text(i / 10, i % 10);
        drawn.push_back({stem, picture.image.size(), picture.box, picture.keypoints,
                         picture.truncated, picture.occluded});
        write_file_atomically(pictures_folder / (stem + ".jpg"), encode_jpeg(picture.image, 90));
        write_image_annotation(annotations_folder / (stem + ".json"), categories[c], drawn.back());
        if (progress) progress(++done, total);
      }
      SyntheticRandom random{setting.seed, 3, c, split};
      for (std::size_t source = 0; source < drawn.size(); ++source) {
        std::vector<std::size_t> targets;
        for (std::size_t t = 0; t < drawn.size(); ++t) {
          if (t != source) targets.push_back(t);
        }
        for (std::size_t t = targets.size(); t > 1; --t) {
          std::swap(targets[t - 1], targets[static_cast<std::size_t>(
                                        random.between(0, static_cast<std::int64_t>(t) - 1))]);
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
    write_file_atomically(root / "Layout" / "large" / (name + ".txt"), large_lines);
    write_file_atomically(root / "Layout" / "small" / (name + ".txt"), small_lines);
  }
}

}  // namespace detail::drawn

/// Writes the whole data set: JPEGImages, ImageAnnotation, PairAnnotation and Layout, to be read
/// with load_spair(). It is made beside `root` and moved there when complete.
///
/// @param progress called with pictures done and their number
/// @throws DatasetError when `root` exists and is not an empty folder, SettingError for counts
/// below 2 (1 for pairs), FileError when the disk fails; nothing is left behind then
inline void generate_synthetic(const std::filesystem::path& root,
                               const SyntheticSetting& setting = {},
                               const std::function<void(std::size_t, std::size_t)>& progress = {}) {
  for (const int count : {setting.train_images, setting.val_images, setting.test_images}) {
    if (count < 2 || count > 99) {
      throw SettingError(detail::text("synthetic set: ", count, " pictures a category in a split, ",
                                      "expected 2 to 99"));
    }
  }
  if (setting.pairs_per_image < 1) throw SettingError("synthetic set: no pairs were asked for");
  std::error_code error;
  const bool exists = std::filesystem::exists(root, error);
  if (exists &&
      !(std::filesystem::is_directory(root, error) && std::filesystem::is_empty(root, error))) {
    throw DatasetError(root.string() + ": exists and is not an empty folder");
  }
  const std::filesystem::path making = root.string() + ".tmp" + std::to_string(::getpid());
  try {
    detail::drawn::write_synthetic(making, setting, progress);
    std::filesystem::rename(making, root);
  } catch (const std::filesystem::filesystem_error& failure) {
    detail::remove_folder(making);
    throw FileError(root.string() + ": cannot be made: " + failure.code().message());
  } catch (...) {
    detail::remove_folder(making);
    throw;
  }
}

}  // namespace homolog::inline v0_1
