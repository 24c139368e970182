// SPDX-License-Identifier: Apache-2.0
#include "homolog/datasets/pf_pascal_matlab.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "datasets/matlab_bytes.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

TEST_CASE("a list without keypoints takes them from the annotations, NaN meaning absent") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const MatlabBytes make;
  const TemporaryFolder folder;
  write_file(folder.path / "train_pairs.csv",
             "source_image,target_image,class,flip\n"
             "PF-dataset-PASCAL/JPEGImages/a.jpg,PF-dataset-PASCAL/JPEGImages/b.jpg,3,1\n");
  write_file(folder.path / "JPEGImages/a.jpg", "x");
  write_file(folder.path / "JPEGImages/b.jpg", "x");
  const auto annotate = [&](const char* stem, const std::vector<double>& kps, std::uint32_t cols) {
    const auto rows = static_cast<std::uint32_t>(kps.size()) / cols;
    write_file(folder.path / "Annotations/bird" / (std::string(stem) + ".mat"),
               make.header() + make.compressed(make.matrix("bbox", {1, 4}, {1, 2, 3, 4})) +
                   make.compressed(make.matrix("kps", {rows, cols}, kps)));
  };
  annotate("a", {1, nan, 3, 4, 10, nan, 30, 40}, 2);
  annotate("b", {5, 6, nan, 8, 50, 60, nan, 80}, 2);
  const Dataset dataset = load_pf_pascal_matlab(folder.path, "train");
  REQUIRE(dataset.pairs.size() == 1);
  const Pair& pair = dataset.pairs[0];
  CHECK(pair.flip);
  CHECK(pair.category == "bird");
  CHECK(pair.source_keypoints == Points<ImageFrame>{{1, 10}, {4, 40}});
  CHECK(pair.target_keypoints == Points<ImageFrame>{{5, 50}, {8, 80}});
  CHECK(pair.keypoint_ids == std::vector<int>{0, 3});

  const auto refused = [&](const char* part) {
    CHECK_THROWS_WITH_AS(load_pf_pascal_matlab(folder.path, "train"), doctest::Contains(part),
                         Error);
  };
  annotate("b", {5, 6, nan, 8, 50, 60, 70, 80}, 2);
  refused("b.mat: row 2 of 'kps' has one NaN");
  annotate("b", {5, 6, 7, 8, 50, 60, 70, 1e300}, 2);
  refused("b.mat, row 3");
  annotate("b", {5, 6, 7, 8, 50, 60, 70, std::numeric_limits<double>::infinity()}, 2);
  refused("b.mat, row 3");
  annotate("b", {5, 6, 7, 8}, 4);
  refused("has shape [1, 4], expected [-1, 2]");
  annotate("b", {5, 6}, 2);
  refused("4 and 1 parts");
  std::filesystem::remove(folder.path / "Annotations/bird/b.mat");
  refused("Annotations/bird/b.mat");
}
