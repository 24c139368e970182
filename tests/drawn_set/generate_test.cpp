// SPDX-License-Identifier: Apache-2.0
#include "drawn_set/generate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "homolog/backbones/synthetic.hpp"
#include "homolog/datasets/spair.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

drawn_set::Setting small(std::uint64_t seed) {
  return {.seed = seed, .train_images = 4, .val_images = 2, .test_images = 4, .pairs_per_image = 2};
}

std::map<std::string, std::string> content(const std::filesystem::path& root) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) {
      files[std::filesystem::relative(entry.path(), root).string()] = test::read_file(entry.path());
    }
  }
  return files;
}

std::uint64_t fnv1a64(const std::string& bytes, std::uint64_t hash = 14695981039346656037U) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

}  // namespace

TEST_CASE("the integer sine is within 0.002 of the real one") {
  for (int angle = -4000; angle < 4000; angle += 7) {
    const double exact = std::sin(angle / 1800.0 * 3.14159265358979);
    CHECK(std::abs(static_cast<double>(drawn_set::sine(angle)) / 4096 - exact) < 0.0022);
  }
}

TEST_CASE("the same seed gives the same bytes, another seed others") {
  const TemporaryFolder folder;
  drawn_set::generate(folder.path / "a", small(3));
  drawn_set::generate(folder.path / "b", small(3));
  drawn_set::generate(folder.path / "c", small(4));
  const auto a = content(folder.path / "a");
  CHECK(a == content(folder.path / "b"));
  CHECK(a != content(folder.path / "c"));
  const auto count = [&a](const char* part) {
    return std::count_if(a.begin(), a.end(),
                         [part](const auto& file) { return file.first.starts_with(part); });
  };
  CHECK(count("JPEGImages/") == 8 * 10);
  CHECK(count("ImageAnnotation/") == 8 * 10);
  CHECK(count("Layout/") == 6);
  CHECK(count("PairAnnotation/") > 8 * 10);
}

TEST_CASE("annotations and pictures have the bytes they always had") {
  // Pixels before JPEG: integer arithmetic alone, the same on every machine and by every compiler.
  std::uint64_t hash = 14695981039346656037U;
  for (std::size_t category = 0; category < drawn_set::category_names().size(); ++category) {
    const auto picture = drawn_set::draw_picture(category, 5, 2, 1);
    hash = fnv1a64(std::string(picture.image.pixels.begin(), picture.image.pixels.end()), hash);
    for (const auto& point : picture.keypoints) {
      hash = fnv1a64(
          point ? std::to_string(int(point->x)) + "," + std::to_string(int(point->y)) : "-", hash);
    }
  }
  CHECK(hash == 8539810381339596130U);
}

TEST_CASE("keypoints are inside, visible and shared, and splits share no picture") {
  const TemporaryFolder folder;
  const auto root = folder.path / "set";
  std::size_t last = 0, total = 0;
  drawn_set::generate(root, small(5),
                      [&](std::string_view stage, std::size_t done, std::size_t of) {
                        CHECK(stage == "pictures");
                        CHECK(done == last + 1);
                        last = done;
                        total = of;
                      });
  CHECK(last == total);
  CHECK(total == 8 * 10);
  std::set<std::string> pictures;
  for (const char* split : {"trn", "val", "test"}) {
    const Dataset dataset = load_spair(root, split);
    std::set<std::string> categories, own;
    for (const Pair& pair : dataset.pairs) {
      categories.insert(pair.category);
      CHECK(pair.source_keypoints.size() >= 3);
      REQUIRE(pair.target_box.has_value());
      CHECK(pair.target_box->width() > 20);
      CHECK(load_image(pair.target).size() == *pair.target_size);
      own.insert(pair.source.string());
      own.insert(pair.target.string());
      for (const auto& point : pair.target_keypoints) {
        // Within the painted box, but for the tips that stand a little beyond their part.
        CHECK(point.x >= pair.target_box->x1 - 8);
        CHECK(point.x <= pair.target_box->x2 + 8);
        CHECK(point.y >= pair.target_box->y1 - 8);
        CHECK(point.y <= pair.target_box->y2 + 8);
      }
    }
    CHECK(categories.size() == 8);
    for (const auto& picture : own) CHECK(pictures.insert(picture).second);
  }
}

TEST_CASE("pairs repeat the two pictures' own annotations") {
  const TemporaryFolder folder;
  const auto root = folder.path / "set";
  drawn_set::generate(root, small(6));
  for (const Pair& pair : load_spair(root, "test").pairs) {
    const auto annotation = [&](const std::filesystem::path& picture) {
      return load_spair_image_annotation(root / "ImageAnnotation" / pair.category /
                                         (picture.stem().string() + ".json"));
    };
    const SpairImage source = annotation(pair.source), target = annotation(pair.target);
    std::size_t shared = 0;
    for (const auto& [id, at] : source.parts) {
      if (!at || !target.parts.at(id)) continue;
      CHECK(pair.source_keypoints[shared] == *at);
      CHECK(pair.target_keypoints[shared] == *target.parts.at(id));
      ++shared;
    }
    CHECK(shared == pair.source_keypoints.size());
  }
}

TEST_CASE("copying coordinates scores below 20 percent at PCK@0.1") {
  const TemporaryFolder folder;
  drawn_set::generate(folder.path / "set", {.seed = 1, .train_images = 2, .val_images = 2});
  const Dataset dataset = load_spair(folder.path / "set", "test");
  const Evaluation floor = evaluate(Pipeline<SyntheticBackbone, CopyCoordinates>{}, dataset);
  MESSAGE("copy-coordinates, PCK@0.1 per point: ", 100 * floor.total.per_point[1]);
  CHECK(floor.total.per_point[1] < 0.2);
  CHECK(floor.total.per_point[1] > 0.01);
  CHECK(dataset.pairs.size() > 300);
}

TEST_CASE("an existing folder is never written into, and nothing is left of a refused call") {
  const TemporaryFolder folder;
  write_file(folder.path / "set" / "mine.txt", "precious");
  CHECK_THROWS_AS(drawn_set::generate(folder.path / "set", small(1)), DatasetError);
  CHECK(test::read_file(folder.path / "set" / "mine.txt") == "precious");
  CHECK_THROWS_AS(drawn_set::generate(folder.path / "mine", {.test_images = 1}), SettingError);
  CHECK_THROWS_AS(drawn_set::generate(folder.path / "mine", {.pairs_per_image = 0}), SettingError);
  CHECK_THROWS_AS(drawn_set::draw_picture(8, 0, 0, 1), SettingError);
  struct Stop {};
  CHECK_THROWS_AS(
      drawn_set::generate(folder.path / "stopped", small(1),
                          [](std::string_view, std::size_t, std::size_t) { throw Stop{}; }),
      Stop);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}
