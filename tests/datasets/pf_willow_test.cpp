// SPDX-License-Identifier: Apache-2.0
#include "homolog/datasets/pf_willow.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <set>

#include "datasets/matlab_bytes.hpp"
#include "homolog/datasets/jsonl.hpp"
#include "homolog/datasets/validate.hpp"
#include "homolog/images/decode.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

const MatlabBytes make;

std::vector<double> twenty(double first) {
  std::vector<double> values(20);
  for (std::size_t i = 0; i < 20; ++i) values[i] = first + static_cast<double>(i);
  return values;
}

std::string annotation(const std::vector<double>& values) {
  return make.header() + make.compressed(make.matrix("pts_coord", {2, 10}, values));
}

std::string csv_header() {
  std::string header = "imageA,imageB";
  for (const char* column : {"XA", "YA", "XB", "YB"}) {
    for (int i = 1; i <= 10; ++i) header += "," + std::string(column) + std::to_string(i);
  }
  return header + "\n";
}

std::string csv_row(const std::string& source, const std::string& target, double first = 1) {
  std::string row = source + "," + target;
  // Not of a double: C++26 writes that in as few digits as it takes.
  for (int i = 0; i < 40; ++i) row += "," + std::to_string(int(first) + i) + ".000000";
  return row + "\n";
}

}  // namespace

TEST_CASE("the whole of PF-WILLOW, against sums computed with SciPy") {
  const auto root = test_data() / "PF-dataset-WILLOW";
  if (!std::filesystem::exists(root)) return skip("no PF-WILLOW under HOMOLOG_TEST_DATA");
  const Dataset dataset = load_pf_willow(root);
  CHECK(dataset.name == "pf-willow");
  CHECK(dataset.split == "test");
  CHECK(dataset.norm == ThresholdNorm::keypoint_box);
  REQUIRE(dataset.pairs.size() == 900);
  CHECK(dataset.pairs[0].name == "car(G)/Cars_006a-Cars_007a");
  const auto& points = dataset.pairs[0].source_keypoints;
  CHECK(distance(points[0], Point<ImageFrame>{47.9353, 98.1586}) < 1e-4);
  CHECK(distance(points[1], Point<ImageFrame>{151.8643, 121.8013}) < 1e-4);
  double x_sum = 0, y_sum = 0, smallest = 1e9;
  std::set<std::string> names;
  std::map<std::string, int> categories;
  std::map<std::string, Size> sizes;
  for (const Pair& pair : dataset.pairs) {
    names.insert(pair.name);
    ++categories[pair.category];
    CHECK(pair.source != pair.target);
    CHECK(pair.source_keypoints.size() == 10);
    for (const auto [x, y] : pair.source_keypoints) {
      x_sum += x, y_sum += y, smallest = std::min({smallest, x, y});
    }
    for (const auto& path : {pair.source, pair.target}) {
      if (!sizes.contains(path.string())) sizes[path.string()] = read_image_size(path);
    }
    CHECK_NOTHROW(
        validate_pair(pair, sizes.at(pair.source.string()), sizes.at(pair.target.string())));
  }
  CHECK(names.size() == 900);
  CHECK(sizes.size() == 100);
  CHECK(categories.size() == 10);
  for (const auto& [category, count] : categories) CHECK_MESSAGE(count == 90, category);
  // Each picture is the source of nine pairs.
  CHECK(x_sum / 9 == doctest::Approx(133933.9360572633).epsilon(1e-12));
  CHECK(y_sum / 9 == doctest::Approx(123182.20398572023).epsilon(1e-12));
  CHECK(smallest == 12.485294117647054);
}

TEST_CASE("the .mat files hold what the picture split, made with another reader, says") {
  const auto root = test_data() / "PF-dataset-WILLOW";
  if (!std::filesystem::exists(root) ||
      !std::filesystem::exists(test_data() / "pf-willow-picture-split-test.jsonl")) {
    return skip("no PF-WILLOW or its picture split under HOMOLOG_TEST_DATA");
  }
  const Dataset split = load_jsonl(test_data(), "pf-willow-picture-split-test");
  for (const Pair& pair : split.pairs) {
    std::filesystem::path annotation = pair.source;
    const Points<ImageFrame> points =
        load_pf_willow_keypoints(annotation.replace_extension(".mat"));
    REQUIRE(points.size() == pair.source_keypoints.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
      CHECK(distance(points[i], pair.source_keypoints[i]) < 1e-3);
    }
  }
}

TEST_CASE("folders make all ordered pairs, in the order of their names") {
  const TemporaryFolder folder;
  for (const char* stem : {"b", "a", "c"}) {
    write_file(folder.path / "car(G)" / (std::string(stem) + ".png"), "x");
    write_file(folder.path / "car(G)" / (std::string(stem) + ".mat"), annotation(twenty(1)));
  }
  write_file(folder.path / "readme.txt", "x");
  write_file(folder.path / "notes" / "readme.txt", "x");
  const Dataset dataset = load_pf_willow(folder.path);
  std::vector<std::string> names;
  for (const Pair& pair : dataset.pairs) names.push_back(pair.name);
  CHECK(names == std::vector<std::string>{"car(G)/a-b", "car(G)/a-c", "car(G)/b-a", "car(G)/b-c",
                                          "car(G)/c-a", "car(G)/c-b"});
  CHECK(dataset.pairs[0].source_keypoints[9] == Point<ImageFrame>{19, 20});

  const auto file = [&](const char* name) { return folder.path / "car(G)" / name; };
  const auto refused = [&](const char* part) {
    CHECK_THROWS_WITH_AS(load_pf_willow(folder.path), doctest::Contains(part), DatasetError);
  };
  write_file(file("a.mat"), make.header() + make.matrix("pts_coord", {10, 2}, twenty(1)));
  refused("has shape [10, 2], expected [2, 10]");
  write_file(file("a.mat"), make.header() + make.matrix("kps", {2, 10}, twenty(1)));
  refused("no variable 'pts_coord', there are: kps");
  write_file(file("a.mat"), "MATLAB 7.3 MAT-file" + std::string(200, ' '));
  refused("a.mat: a MATLAB 7.3 (HDF5) file");
  for (const double bad : {-1.0, 1e300, std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity()}) {
    auto values = twenty(1);
    values[7] = bad;
    write_file(file("a.mat"), annotation(values));
    CHECK_THROWS_WITH_AS(load_pf_willow(folder.path), doctest::Contains("keypoint 3"), PointError);
  }
  std::filesystem::remove(file("a.mat"));
  refused((file("a.mat").string() + " is missing").c_str());
  std::filesystem::remove(file("a.png"));
  std::filesystem::remove(file("b.png"));
  refused((file("b.png").string() + " is missing").c_str());
  std::filesystem::remove(file("b.mat"));
  refused("car(G): holds one picture only, and a pair needs two");
  std::filesystem::remove(file("c.png"));
  std::filesystem::remove(file("c.mat"));
  refused("no pairs");
  CHECK_THROWS_WITH_AS(load_pf_willow(folder.path / "nowhere"),
                       ((folder.path / "nowhere").string() + ": no such directory").c_str(),
                       DatasetError);
}

TEST_CASE("the published list is read where it is there") {
  const TemporaryFolder folder;
  const std::string a = "PF-dataset/car(G)/a.png", b = "PF-dataset/car(G)/b.png";
  const auto write = [&](const std::string& text) {
    write_file(folder.path / "test_pairs.csv", text);
  };
  write(csv_header() + csv_row(a, b) + csv_row(b, a, 3) + csv_row(a, b));
  CHECK_THROWS_WITH_AS(load_pf_willow(folder.path), doctest::Contains("is missing"), DatasetError);
  CHECK(load_pf_willow(folder.path, {false}).pairs.size() == 3);

  write_file(folder.path / "PF-dataset/car(G)/a.png", "x");
  write_file(folder.path / "PF-dataset/car(G)/b.png", "x");
  CHECK(load_pf_willow(folder.path).pairs[0].source == folder.path / a);
  write_file(folder.path / "car(G)/a.png", "x");
  write_file(folder.path / "car(G)/b.png", "x");
  const Dataset dataset = load_pf_willow(folder.path);
  REQUIRE(dataset.pairs.size() == 3);
  const Pair& pair = dataset.pairs[1];
  CHECK(pair.name == "car(G)/b-a");
  CHECK(dataset.pairs[2].name == "car(G)/a-b#2");
  CHECK(pair.category == "car(G)");
  CHECK(pair.source == folder.path / "car(G)/b.png");
  CHECK(pair.source_keypoints[0] == Point<ImageFrame>{3, 13});
  CHECK(pair.source_keypoints[9] == Point<ImageFrame>{12, 22});
  CHECK(pair.target_keypoints[0] == Point<ImageFrame>{23, 33});
  CHECK(pair.target_keypoints[9] == Point<ImageFrame>{32, 42});
  CHECK(threshold_scale(pair, dataset.norm, {100, 100}) == 9);

  const auto refused = [&](const std::string& text, const char* part) {
    write(text);
    CHECK_THROWS_WITH_AS(load_pf_willow(folder.path), doctest::Contains(part), Error);
  };
  refused("", "no header line");
  refused(csv_header(), "no pairs");
  refused(csv_row(a, b), "expected the header imageA,imageB");
  refused(csv_header() + csv_row(a, b).substr(0, 300) + "\n", "line 2");
  refused(csv_header() + csv_row(a, b) + csv_row("../car(G)/a.png", b), "line 3");
  refused(csv_header() + csv_row("a.png", b), "expected a picture such as");
  refused(csv_header() + csv_row(a, "PF-dataset/duck(S)/b.png"), "two sub-classes");
  refused(csv_header() + csv_row(a, b, -1), "source keypoint 0");
  refused(csv_header() + csv_row(a, "PF-dataset/car(G)/ghost.png"), "ghost.png is missing");
}
