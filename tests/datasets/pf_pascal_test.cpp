// SPDX-License-Identifier: Apache-2.0
#include "homolog/datasets/pf_pascal.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

const std::string with_points = "source_image,target_image,class,XA,YA,XB,YB\n";
const std::string with_flip = "source_image,target_image,class,flip\n";

std::filesystem::path lists() { return test_data() / "PF-dataset-PASCAL" / "image_pairs"; }

std::vector<PfPascalRow> read_rows(const std::string& split) {
  const auto path = lists() / (split + "_pairs.csv");
  return parse_pf_pascal_csv(test::read_file(path), path.string());
}

}  // namespace

TEST_CASE("the published lists, against counts and sums computed in Python") {
  if (!std::filesystem::exists(lists())) return skip("no PF-PASCAL lists under HOMOLOG_TEST_DATA");
  const auto rows = read_rows("test");
  CHECK(rows.size() == 299);
  double sums[4] = {};
  std::size_t points = 0, fewest = 100, most = 0;
  std::vector<int> of_class(21);
  double smallest = 1e9, largest = 0;
  for (const PfPascalRow& row : rows) {
    const std::size_t count = row.source_keypoints.size();
    CHECK(row.target_keypoints.size() == count);
    CHECK_FALSE(row.flip);
    points += count, fewest = std::min(fewest, count), most = std::max(most, count);
    ++of_class[static_cast<std::size_t>(row.class_index)];
    for (std::size_t i = 0; i < count; ++i) {
      const auto [xa, ya] = row.source_keypoints[i];
      const auto [xb, yb] = row.target_keypoints[i];
      sums[0] += xa, sums[1] += ya, sums[2] += xb, sums[3] += yb;
      smallest = std::min({smallest, xa, ya, xb, yb});
      largest = std::max({largest, xa, ya, xb, yb});
    }
  }
  CHECK(points == 2414);
  CHECK(fewest == 4);
  CHECK(most == 17);
  CHECK(of_class == std::vector<int>{0, 15, 30, 10, 6,  8, 32, 19, 27, 13, 3,
                                     8, 24, 9,  27, 12, 7, 1,  13, 20, 15});
  const double expected[4] = {344484.36859178863, 280203.6190684664, 342378.03662824753,
                              279613.4986926555};
  for (int i = 0; i < 4; ++i) CHECK(sums[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  CHECK(smallest == doctest::Approx(0.909).epsilon(1e-3));
  CHECK(largest == doctest::Approx(299.77).epsilon(1e-4));
  CHECK(rows[0].source == "PF-dataset-PASCAL/JPEGImages/2011_001407.jpg");
  CHECK(rows[0].source_keypoints[0] == Point<ImageFrame>{253.631662222222, 58.1813333333333});

  const auto train = read_rows("train"), val = read_rows("val");
  CHECK(train.size() == 2940);
  CHECK(std::ranges::count(train, true, &PfPascalRow::flip) == 1470);
  CHECK(val.size() == 308);
  CHECK(std::ranges::count(val, true, &PfPascalRow::flip) == 0);
}

TEST_CASE("the leak of PF-PASCAL, against sets counted in Python") {
  if (!std::filesystem::exists(lists())) return skip("no PF-PASCAL lists under HOMOLOG_TEST_DATA");
  const auto test = read_rows("test"), train = read_rows("train"), val = read_rows("val");
  const LeakReport in_train = leak_report(test, train);
  CHECK(in_train.pairs == 299);
  CHECK(in_train.pairs_seen == 95);
  CHECK(in_train.pairs_seen_reversed == 95);  // train holds each of its pairs in both orders
  CHECK(in_train.pairs_unseen_images == 79);
  CHECK(in_train.pairs_both_orders == 22);
  CHECK(in_train.images == 506);
  CHECK(in_train.images_seen == 302);
  CHECK(in_train.trained_pairs == 2940);
  CHECK(in_train.trained_distinct == 1226);
  CHECK(in_train.trained_unordered == 613);
  CHECK(leak_report(test, val).images_seen == 148);
  CHECK(leak_report(val, test).pairs_seen == 0);
  CHECK(leak_report(val, test).pairs_seen_reversed == 35);
  CHECK(leak_report(val, train).pairs_seen == 99);
  auto seen = train;
  seen.insert(seen.end(), val.begin(), val.end());
  CHECK(leak_report(test, seen).pairs_unseen_images == 38);
}

TEST_CASE("a leak report of a list with itself, and of strangers") {
  const std::vector<PictureNames> ring{{"a", "b"}, {"b", "c"}, {"c", "a"}, {"b", "a"}};
  const LeakReport self = leak_report(ring, ring);
  CHECK(self.pairs_seen == 4);
  CHECK(self.pairs_seen_reversed == 2);
  CHECK(self.images_seen == self.images);
  CHECK(self.pairs_both_orders == 1);
  CHECK(self.trained_unordered == 3);
  const LeakReport none = leak_report(ring, {{"x", "y"}});
  CHECK(none.pairs_seen + none.pairs_seen_reversed + none.images_seen == 0);
  CHECK(none.pairs_unseen_images == 4);
  Dataset dataset{"d", "test", ThresholdNorm::image_size, {}};
  Pair pair;
  pair.source = "a.png", pair.target = "b.png";
  dataset.pairs = {pair, pair};
  CHECK(leak_report(dataset, dataset).pairs_seen == 2);
}

TEST_CASE("the three published forms") {
  const auto test =
      parse_pf_pascal_csv(with_points + "d/a.jpg,d/b.jpg,20,1;2.5,3;4,5;6,7;8\n", "x");
  REQUIRE(test.size() == 1);
  CHECK(test[0].has_keypoints);
  CHECK(test[0].class_index == 20);
  CHECK(test[0].source_keypoints == Points<ImageFrame>{{1, 3}, {2.5, 4}});
  CHECK(test[0].target_keypoints == Points<ImageFrame>{{5, 7}, {6, 8}});
  const auto train = parse_pf_pascal_csv(with_flip + "d/a.jpg,d/b.jpg,1,1\r\n\r\nd/b,d/a,2,0", "x");
  REQUIRE(train.size() == 2);
  CHECK_FALSE(train[0].has_keypoints);
  CHECK(train[0].flip);
  CHECK(train[1].line == 4);
  const auto both = parse_pf_pascal_csv(
      "source_image,target_image,class,flip,XA,YA,XB,YB\nd/a.jpg,d/b.jpg,3,1,1,2,3,4\n", "x");
  REQUIRE(both.size() == 1);
  CHECK(both[0].flip);
  CHECK(both[0].target_keypoints == Points<ImageFrame>{{3, 4}});
}

TEST_CASE("a malformed list is refused with its name and line") {
  const auto refused = [](const std::string& content, const char* part) {
    CHECK_THROWS_WITH_AS(parse_pf_pascal_csv(content, "l.csv"), doctest::Contains(part),
                         DatasetError);
    CHECK_THROWS_WITH_AS(parse_pf_pascal_csv(content, "l.csv"), doctest::Contains("l.csv"),
                         DatasetError);
  };
  refused("", "no header line");
  refused("\n\n", "no header line");
  refused("a,b,c\n", "expected the header");
  refused("source_image,target_image,class\nd/a,d/b,1\n", "expected the header");
  refused("source_image,target_image,class,XA,YA,YB,XB\n", "expected the header");
  refused(with_points, "no pairs");
  refused(with_points + "d/a,d/b,1,1;2,3;4,5;6\n", "line 2: 6 values, the header has 7");
  refused(with_points + "d/a,d/b,1,1;2,3;4,5;6,7;8,9\n", "line 2: 8 values");
  // A decimal comma is one more value.
  refused(with_points + "d/a,d/b,1,1,5;2,3;4,5;6,7;8\n", "line 2: 8 values");
  refused(with_points + "d/a,d/b,1,1;2,3;4;5,5;6,7;8\n", "2 x but 3 y of source keypoints");
  refused(with_points + "d/a,d/b,1,1;2,3;4,5,7\n", "2 source keypoints but 1 target");
  refused(with_points + "d/a,d/b,1,,,5,7\n", "no source keypoints");
  for (const char* bad : {"nan", "inf", "-inf", "", "1x", "0x10", " 1", "1e999", "--1"}) {
    refused(with_points + "d/a,d/b,1,2;" + bad + ",3;4,5;6,7;8\n", "expected a finite number");
  }
  for (const char* bad : {"0", "21", "-1", "1.0", "", "cat"}) {
    refused(with_flip + "d/a,d/b," + bad + ",0\n", "expected a class in 1..20");
  }
  for (const char* bad : {"2", "", "true", "01"}) {
    refused(with_flip + "d/a,d/b,1," + bad + "\n", "expected flip 0 or 1");
  }
  for (const char* bad : {"../a", "/d/a", "d/../a", "d\\a", "", "d/"}) {
    refused(with_flip + bad + ",d/b,1,0\n", "expected a path inside the data set");
    refused(with_flip + "d/a," + bad + ",1,0\n", "expected a path inside the data set");
  }
  refused(with_flip + "\"d/a\",d/b,1,0\n", "quoted cells");
  refused(with_flip + std::string((std::size_t{1} << 20) + 1, 'a'), "the limit is 1048576");
  refused(std::string((std::size_t{64} << 20) + 1, '\n'), "the limit is 67108864");
  for (const char* bad : {"-1", "1e300", "16385"}) {
    CHECK_THROWS_WITH_AS(
        parse_pf_pascal_csv(with_points + "d/a,d/b,1,1;2,3;" + bad + ",5;6,7;8\n", "l.csv"),
        doctest::Contains("l.csv line 2: source keypoint 1"), PointError);
  }
  // Ten million cells is the cap; the line cap holds for each of these lines.
  const std::string line = std::string(1000000, ',') + "\n";
  std::string many;
  for (int i = 0; i < 10; ++i) many += line;
  refused(many, "more than 10000000 cells");
}

TEST_CASE("loading joins the list with the pictures") {
  const TemporaryFolder folder;
  const auto list = folder.path / "test_pairs.csv";
  const std::string content =
      with_points + "PF-dataset-PASCAL/JPEGImages/a.jpg,PF-dataset-PASCAL/JPEGImages/b.jpg,20," +
      "1;2,3;4,5;6,7;8\nPF-dataset-PASCAL/JPEGImages/a.jpg,PF-dataset-PASCAL/JPEGImages/b.jpg,20," +
      "1;2,3;4,5;6,7;8\n";
  write_file(list, content);
  CHECK_THROWS_WITH_AS(load_pf_pascal(folder.path, "test"),
                       doctest::Contains((folder.path / "JPEGImages/a.jpg").string().c_str()),
                       DatasetError);
  const Dataset without = load_pf_pascal(folder.path, "test", {false, {}});
  CHECK(without.pairs.size() == 2);

  for (const char* base : {"PF-dataset-PASCAL/JPEGImages", "JPEGImages"}) {
    write_file(folder.path / base / "a.jpg", "x");
    write_file(folder.path / base / "b.jpg", "x");
    const Dataset dataset = load_pf_pascal(folder.path, "test");
    CHECK(dataset.name == "pf-pascal");
    CHECK(dataset.norm == ThresholdNorm::image_size);
    REQUIRE(dataset.pairs.size() == 2);
    const Pair& pair = dataset.pairs[0];
    CHECK(pair.name == "000002-a-b:tvmonitor");
    CHECK(dataset.pairs[1].name == "000003-a-b:tvmonitor");
    CHECK(pair.category == "tvmonitor");
    CHECK(pair.target == folder.path / base / "b.jpg");
    CHECK(threshold_scale(pair, dataset.norm, {120, 80}) == 120);
  }

  // GeoAware's names, and a subfolder as ncnet has it.
  std::filesystem::rename(list, folder.path / "test_pairs_pf_pascal.csv");
  CHECK(load_pf_pascal(folder.path, "test").pairs.size() == 2);
  std::filesystem::create_directory(folder.path / "image_pairs");
  std::filesystem::rename(folder.path / "test_pairs_pf_pascal.csv",
                          folder.path / "image_pairs" / "test_pairs.csv");
  CHECK(load_pf_pascal(folder.path, "test").pairs.size() == 2);

  CHECK_THROWS_WITH_AS(
      load_pf_pascal(folder.path, "val"),
      doctest::Contains((folder.path.string() + ": holds neither val_pairs.csv").c_str()),
      DatasetError);
  CHECK_THROWS_AS(load_pf_pascal(folder.path, "trn"), SettingError);
  CHECK_THROWS_WITH_AS(load_pf_pascal(folder.path / "nowhere", "test"),
                       ((folder.path / "nowhere").string() + ": no such directory").c_str(),
                       DatasetError);
  write_file(folder.path / "train_pairs.csv",
             with_flip + "d/JPEGImages/a.jpg,d/JPEGImages/b.jpg,1,1");
  CHECK_THROWS_WITH_AS(load_pf_pascal(folder.path, "train"),
                       doctest::Contains("load_pf_pascal_matlab()"), DatasetError);
  write_file(folder.path / "train_pairs.csv", with_flip + "a.jpg,d/JPEGImages/b.jpg,1,1");
  CHECK_THROWS_WITH_AS(load_pf_pascal(folder.path, "train"),
                       doctest::Contains("expected a picture such as"), DatasetError);
}

TEST_CASE("parts absent from either picture are dropped, and the rest keep their numbers") {
  const TemporaryFolder folder;
  write_file(folder.path / "train_pairs.csv", with_flip +
                                                  "d/JPEGImages/a.jpg,d/JPEGImages/b.jpg,7,1\n" +
                                                  "d/JPEGImages/b.jpg,d/JPEGImages/a.jpg,7,0\n");
  std::vector<std::string> asked;
  PartList a{Point<ImageFrame>{1, 2}, std::nullopt, Point<ImageFrame>{5, 6}, std::nullopt};
  PartList b{Point<ImageFrame>{11, 12}, Point<ImageFrame>{13, 14}, std::nullopt, std::nullopt};
  PfPascalOptions options;
  options.require_images = false;
  options.read_parts = [&](const std::filesystem::path& path) {
    asked.push_back(path.string());
    return path.stem() == "a" ? a : b;
  };
  b[2] = Point<ImageFrame>{15, 16};
  const Dataset dataset = load_pf_pascal(folder.path, "train", options);
  REQUIRE(dataset.pairs.size() == 2);
  CHECK(dataset.pairs[0].flip);
  CHECK(dataset.pairs[0].source_keypoints == Points<ImageFrame>{{1, 2}, {5, 6}});
  CHECK(dataset.pairs[0].target_keypoints == Points<ImageFrame>{{11, 12}, {15, 16}});
  CHECK(dataset.pairs[0].keypoint_ids == std::vector<int>{0, 2});
  CHECK(dataset.pairs[1].source_keypoints == dataset.pairs[0].target_keypoints);
  CHECK(asked == std::vector<std::string>{(folder.path / "Annotations/car/a.mat").string(),
                                          (folder.path / "Annotations/car/b.mat").string()});
  b = {std::nullopt, Point<ImageFrame>{1, 1}, std::nullopt, std::nullopt};
  CHECK_THROWS_WITH_AS(load_pf_pascal(folder.path, "train", options),
                       doctest::Contains("line 2: the two pictures show no common keypoint"),
                       DatasetError);
  b.pop_back();
  CHECK_THROWS_WITH_AS(load_pf_pascal(folder.path, "train", options),
                       doctest::Contains("4 and 3 parts"), DatasetError);
}
