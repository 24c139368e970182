// SPDX-License-Identifier: Apache-2.0
#include "homolog/datasets/jsonl.hpp"

#include <doctest/doctest.h>

#include <set>

#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

using Json = nlohmann::json;

Json good_line() {
  return Json::parse(R"({"source":"a.png","target":"sub/b.png","category":"car",
    "source_keypoints":[[1,2],[3.5,4]],"target_keypoints":[[5,6],[7,9]]})");
}

struct JsonlFolder : TemporaryFolder {
  JsonlFolder() {
    write_file(path / "a.png", "x");
    write_file(path / "sub" / "b.png", "x");
  }
  Dataset load(const std::string& content) const {
    write_file(path / "test.jsonl", content);
    return load_jsonl(path, "test");
  }
  // The message of the error that a line with one changed key gives.
  std::string refusal(const char* key, const Json& value) const {
    Json line = good_line();
    line[key] = value;
    try {
      load(line.dump() + "\n");
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }
};

}  // namespace

TEST_CASE("a user's own pairs") {
  const JsonlFolder folder;
  const Dataset dataset =
      folder.load(good_line().dump() + "\r\n\n" + good_line().dump());  // CRLF, blank, no last LF
  CHECK(dataset.name == "jsonl");
  CHECK(dataset.split == "test");
  CHECK(dataset.norm == ThresholdNorm::keypoint_box);
  REQUIRE(dataset.pairs.size() == 2);
  const Pair& pair = dataset.pairs[1];
  CHECK(pair.name == "000003-a-b:car");
  CHECK(pair.category == "car");
  CHECK(pair.source == folder.path / "a.png");
  CHECK(pair.target == folder.path / "sub/b.png");
  CHECK(pair.source_keypoints == Points<ImageFrame>{{1, 2}, {3.5, 4}});
  CHECK(pair.target_keypoints == Points<ImageFrame>{{5, 6}, {7, 9}});
  CHECK_FALSE(pair.target_box.has_value());
  CHECK(dataset.pairs[0].name != dataset.pairs[1].name);
  CHECK(threshold_scale(pair, dataset.norm, {10, 10}) == 3);
}

TEST_CASE("one box makes the target box the norm, and fills the others from the keypoints") {
  const JsonlFolder folder;
  Json boxed = good_line();
  boxed["target_box"] = {1, 2, 21, 12};
  const Dataset all = folder.load(boxed.dump());
  CHECK(all.norm == ThresholdNorm::target_box);
  const Dataset mixed = folder.load(good_line().dump() + "\n" + boxed.dump() + "\n");
  CHECK(mixed.norm == ThresholdNorm::target_box);
  CHECK(mixed.pairs[0].target_box == Box<ImageFrame>{5, 6, 7, 9});
  CHECK(mixed.pairs[1].target_box == Box<ImageFrame>{1, 2, 21, 12});
  // The filled box gives the length that the keypoint norm gives.
  CHECK(threshold_scale(mixed.pairs[0], mixed.norm, {10, 10}) == 3);
  CHECK(threshold_scale(mixed.pairs[1], mixed.norm, {10, 10}) == 20);
}

TEST_CASE("a malformed line is refused with the list, the line and the key") {
  const JsonlFolder folder;
  const std::string list = (folder.path / "test.jsonl").string();
  const auto contains = [](const std::string& text, const std::string& part) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
  };
  for (const char* key : {"source", "target", "category", "source_keypoints", "target_keypoints"}) {
    Json line = good_line();
    line.erase(key);
    CHECK_THROWS_WITH_AS(folder.load(line.dump()),
                         (list + " line 1: the key '" + key + "' is missing").c_str(),
                         DatasetError);
    contains(folder.refusal(key, nullptr), list + " line 1: '" + key + "'");
  }
  for (const char* path : {"../a.png", "/a.png", "sub/../a.png", "sub\\b.png", ""}) {
    contains(folder.refusal("source", path), "a path inside the data set's folder");
    contains(folder.refusal("target", path), "a path inside the data set's folder");
  }
  contains(folder.refusal("target", "ghost.png"), (folder.path / "ghost.png").string());
  contains(folder.refusal("target", "sub"), "is missing");
  contains(folder.refusal("category", "a/b"), "'category'");
  contains(folder.refusal("category", "a\nb"), "'category'");
  contains(folder.refusal("source_keypoints", Json::array()), "at least one keypoint");
  contains(folder.refusal("source_keypoints", {{1, 2}}), "1 source keypoints but 2 target");
  contains(folder.refusal("source_keypoints", {{1, 2}, {1, 2, 3}}), "an array of 2");
  contains(folder.refusal("source_keypoints", {{1, 2}, {1, "2"}}), "a finite number");
  contains(folder.refusal("target_keypoints", {{1, 2}, {-1, 2}}), "target keypoint 1 is (-1, 2)");
  contains(folder.refusal("target_keypoints", {{1, 2}, {1, 1e300}}), "target keypoint 1");
  contains(folder.refusal("target_box", {1, 2, 3}), "an array of 4");
  contains(folder.refusal("target_box", {5, 2, 5, 9}), "x1 < x2");
  contains(folder.refusal("target_box", nullptr), "'target_box'");
  CHECK_THROWS_AS(folder.load("[1]"), DatasetError);
  CHECK_THROWS_AS(folder.load(good_line().dump() + "\n{\"source\":"), DatasetError);
  CHECK_THROWS_AS(folder.load(R"({"source":"a.png","source":"a.png"})"), DatasetError);
  std::string nan = good_line().dump();
  nan.replace(nan.find("3.5"), 3, "NaN");
  CHECK_THROWS_AS(folder.load(nan), DatasetError);
  std::string comma = good_line().dump();
  comma.replace(comma.find("3.5"), 3, "3,5");
  CHECK_THROWS_AS(folder.load(comma), DatasetError);
  // A line above the cap of 1 MiB, though valid.
  CHECK_THROWS_AS(folder.load(std::string(std::size_t{1} << 20, ' ') + good_line().dump()),
                  DatasetError);
}

TEST_CASE("a missing folder, list or pair is an error with the path that was looked at") {
  const JsonlFolder folder;
  const auto nowhere = folder.path / "nowhere";
  CHECK_THROWS_WITH_AS(load_jsonl(nowhere, "test"),
                       (nowhere.string() + ": no such directory").c_str(), DatasetError);
  CHECK_THROWS_WITH_AS(load_jsonl(folder.path, "ghost"),
                       doctest::Contains((folder.path / "ghost.jsonl").string().c_str()),
                       DatasetError);
  CHECK_THROWS_AS(load_jsonl(folder.path, "../test"), DatasetError);
  test::write_file(nowhere, "");
  CHECK_THROWS_WITH_AS(load_jsonl(nowhere, "test"),
                       (nowhere.string() + ": a file, expected the data set's folder").c_str(),
                       DatasetError);
  CHECK_THROWS_WITH_AS(load_jsonl(folder.path, "test.jsonl"),
                       doctest::Contains("named without .jsonl, expected 'test'"), DatasetError);
  CHECK_THROWS_WITH_AS(folder.load("\n \n"),
                       ((folder.path / "test.jsonl").string() + ": no pairs").c_str(),
                       DatasetError);
  std::filesystem::create_directory(folder.path / "folder.jsonl");
  CHECK_THROWS_AS(load_jsonl(folder.path, "folder"), DatasetError);
}

TEST_CASE("a list above 64 MiB is refused before it is read") {
  const JsonlFolder folder;
  write_file(folder.path / "big.jsonl", "{}");
  std::filesystem::resize_file(folder.path / "big.jsonl",
                               (std::uintmax_t{64} << 20) + 1);  // sparse
  CHECK_THROWS_WITH_AS(load_jsonl(folder.path, "big"), doctest::Contains("the limit is 67108864"),
                       DatasetError);
}

TEST_CASE("the picture split of PF-WILLOW, against sums computed in Python") {
  if (!std::filesystem::exists(test_data() / "pf-willow-picture-split-train.jsonl")) {
    return skip("no pf-willow-picture-split-*.jsonl under HOMOLOG_TEST_DATA");
  }
  struct Expected {
    const char* split;
    std::size_t pairs;
    double sum;  // of all x and y; each picture is source as often as target
  };
  std::set<std::string> pictures[2];
  std::size_t k = 0;
  for (const auto& [split, pairs, sum] :
       {Expected{"pf-willow-picture-split-train", 210, 530236.505},
        Expected{"pf-willow-picture-split-test", 84, 219352.9881}}) {
    const Dataset dataset = load_jsonl(test_data(), split);
    CHECK(dataset.pairs.size() == pairs);
    CHECK(dataset.norm == ThresholdNorm::keypoint_box);
    double source = 0, target = 0;
    std::size_t points = 0;
    std::set<std::string> names, categories;
    for (const Pair& pair : dataset.pairs) {
      points += pair.source_keypoints.size();
      for (const auto [x, y] : pair.source_keypoints) source += x + y;
      for (const auto [x, y] : pair.target_keypoints) target += x + y;
      names.insert(pair.name);
      categories.insert(pair.category);
      pictures[k].insert(pair.source.string());
    }
    CHECK(points == pairs * 10);
    CHECK(source == doctest::Approx(sum).epsilon(1e-12));
    CHECK(target == doctest::Approx(sum).epsilon(1e-12));
    CHECK(names.size() == pairs);
    CHECK(categories == std::set<std::string>{"car(G)", "car(S)", "duck(S)", "motorbike(G)",
                                              "motorbike(S)", "winebottle(wC)", "winebottle(woC)"});
    ++k;
  }
  for (const auto& picture : pictures[0]) CHECK_FALSE(pictures[1].contains(picture));
}
