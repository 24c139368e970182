// SPDX-License-Identifier: Apache-2.0
#include "homolog/datasets/spair.hpp"

#include <doctest/doctest.h>

#include "homolog/images/decode.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

using Json = nlohmann::json;

const std::string entry_line = "000007-one-two:cat";

Json good_annotation() {
  return Json::parse(R"({"pair_id":7,"filename":"000007-one-two:cat","src_imname":"one.jpg",
    "trg_imname":"two.jpg","src_imsize":[30,20,3],"trg_imsize":[40,50,3],"src_bndbox":[1,2,30,20],
    "trg_bndbox":[4,5,40,35],"category":"cat","src_pose":"Left","trg_pose":"Rear",
    "src_kps":[[1,2],[30,20]],"trg_kps":[[5,6],[40,50]],"kps_ids":["3","11"],"mirror":0,
    "viewpoint_variation":1,"scale_variation":2,"truncation":3,"occlusion":0})");
}

struct SpairFolder : TemporaryFolder {
  SpairFolder() {
    write_file(path / "JPEGImages/cat/one.jpg", "x");
    write_file(path / "JPEGImages/cat/two.jpg", "x");
    layout(entry_line + "\n");
    pair(good_annotation());
  }
  void layout(const std::string& lines) const { write_file(path / "Layout/large/test.txt", lines); }
  std::filesystem::path annotation() const {
    return path / "PairAnnotation/test" / (entry_line + ".json");
  }
  void pair(const Json& json) const { write_file(annotation(), json.dump()); }
  std::string refusal(const char* key, const Json& value) const {
    Json json = good_annotation();
    json[key] = value;
    pair(json);
    try {
      load_spair(path, "test");
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }
};

}  // namespace

TEST_CASE("the native pair at hand, value by value") {
  const auto root = test_data() / "SPair-71k";
  if (!std::filesystem::exists(root)) return skip("no SPair-71k under HOMOLOG_TEST_DATA");
  const Dataset dataset = load_spair(root, "test");
  CHECK(dataset.name == "spair-71k");
  CHECK(dataset.split == "test");
  CHECK(dataset.norm == ThresholdNorm::target_box);
  REQUIRE(dataset.pairs.size() == 1);
  const Pair& pair = dataset.pairs[0];
  CHECK(pair.name == "000167-2008_007604-2009_001056:aeroplane");
  CHECK(pair.category == "aeroplane");
  CHECK(pair.source == root / "JPEGImages/aeroplane/2008_007604.jpg");
  CHECK(pair.target == root / "JPEGImages/aeroplane/2009_001056.jpg");
  CHECK(pair.source_size == Size{333, 500});
  CHECK(pair.target_size == Size{500, 334});
  CHECK(pair.target_box == Box<ImageFrame>{14, 71, 483, 220});
  CHECK(pair.source_keypoints ==
        Points<ImageFrame>{
            {62, 462}, {100, 311}, {105, 275}, {94, 178}, {192, 208}, {235, 187}, {260, 27}});
  CHECK(pair.target_keypoints ==
        Points<ImageFrame>{
            {480, 180}, {450, 154}, {417, 145}, {28, 147}, {83, 161}, {108, 147}, {37, 75}});
  CHECK(pair.keypoint_ids == std::vector<int>{0, 1, 2, 16, 18, 22, 23});
  CHECK(pair.variation == PairVariation{1, 1, 1, 0});
  CHECK_FALSE(pair.flip);
  CHECK(0.1 * threshold_scale(pair, dataset.norm, *pair.target_size) == doctest::Approx(46.9));

  CHECK_NOTHROW(validate_pair(pair, read_image_size(pair.source), read_image_size(pair.target)));

  // The pair's keypoints are what both pictures' own annotations show.
  const auto annotations = root / "ImageAnnotation/aeroplane";
  const SpairImage source = load_spair_image_annotation(annotations / "2008_007604.json");
  const SpairImage target = load_spair_image_annotation(annotations / "2009_001056.json");
  CHECK(source.filename == "2008_007604.jpg");
  CHECK(source.category == "aeroplane");
  CHECK(source.size == Size{333, 500});
  CHECK(source.box == Box<ImageFrame>{1, 25, 333, 494});
  CHECK(source.parts.size() == 30);
  std::vector<int> ids;
  for (const auto& [id, point] : source.parts) {
    if (!point || !target.parts.at(id)) continue;
    const std::size_t i = ids.size();
    ids.push_back(id);
    REQUIRE(i < pair.source_keypoints.size());
    CHECK(*point == pair.source_keypoints[i]);
    CHECK(*target.parts.at(id) == pair.target_keypoints[i]);
  }
  CHECK(ids == pair.keypoint_ids);
}

TEST_CASE("a layout line splits into a number, two stems and a category") {
  const SpairEntry entry = parse_spair_entry("000001-2008_001546-2008_004704:aeroplane", "x");
  CHECK(entry.source_stem == "2008_001546");
  CHECK(entry.target_stem == "2008_004704");
  CHECK(entry.category == "aeroplane");
  for (const char* bad : {"", "a", "1-a-b", "1-a:cat", "-a-b:cat", "x-a-b:cat", "1--b:cat",
                          "1-a-:cat", "1-a-b:", "1-a-b-c:cat", "1-a-b:c/t", "1-a/../b-c:cat",
                          "1-a..-b:cat", "1-a-b:c\\t", "1-a-b:c\x01"}) {
    CHECK_THROWS_WITH_AS(parse_spair_entry(bad, "list line 3"), doctest::Contains("list line 3"),
                         DatasetError);
  }
}

TEST_CASE("splits, layouts, categories and limits") {
  const SpairFolder folder;
  CHECK_THROWS_WITH_AS(load_spair(folder.path, "train"),
                       "SPair-71k has the splits trn, val and test, not 'train'", SettingError);
  CHECK_THROWS_AS(load_spair(folder.path, "test", {"tiny", {}, 0}), SettingError);
  CHECK_THROWS_WITH_AS(load_spair(folder.path, "trn"),
                       doctest::Contains((folder.path / "Layout/large/trn.txt").string().c_str()),
                       DatasetError);
  CHECK_THROWS_AS(load_spair(folder.path, "test", {"small", {}, 0}), DatasetError);
  CHECK_THROWS_WITH_AS(load_spair(folder.path / "nowhere", "test"),
                       ((folder.path / "nowhere").string() + ": no such directory").c_str(),
                       DatasetError);
  CHECK_THROWS_WITH_AS(
      load_spair(folder.path, "test", {"large", {"cat", "cow"}, 0}),
      ((folder.path / "Layout/large/test.txt").string() + ": no pair of category 'cow'; it has cat")
          .c_str(),
      DatasetError);

  // A second category, listed first: the filter comes before the limit.
  Json dog = good_annotation();
  dog["filename"] = "000001-one-two:dog";
  dog["category"] = "dog";
  write_file(folder.path / "PairAnnotation/test/000001-one-two:dog.json", dog.dump());
  write_file(folder.path / "JPEGImages/dog/one.jpg", "x");
  write_file(folder.path / "JPEGImages/dog/two.jpg", "x");
  folder.layout(
      "\xEF\xBB\xBF"
      "000001-one-two:dog\r\n\r\n" +
      entry_line);
  CHECK(load_spair(folder.path, "test").pairs.size() == 2);
  CHECK(load_spair(folder.path, "test", {"large", {}, 1}).pairs[0].category == "dog");
  const Dataset cats = load_spair(folder.path, "test", {"large", {"cat"}, 1});
  REQUIRE(cats.pairs.size() == 1);
  CHECK(cats.pairs[0].category == "cat");
}

TEST_CASE("a malformed layout is refused") {
  const SpairFolder folder;
  const auto refused = [&](const std::string& lines, const char* part) {
    folder.layout(lines);
    CHECK_THROWS_WITH_AS(load_spair(folder.path, "test"), doctest::Contains(part), DatasetError);
  };
  refused("", "no pairs");
  refused("\n\n", "no pairs");
  refused("cat:one:two\n", "test.txt line 1");
  refused(entry_line + "\n" + entry_line + "\n", "line 2: 000007-one-two:cat occurs twice");
  refused(std::string(5000, '1') + "-a-b:cat", "the limit is 4096");
  refused("000008-one-two:cat", "000008-one-two:cat.json");
  folder.layout("x");
  std::filesystem::resize_file(folder.path / "Layout/large/test.txt",
                               (std::uintmax_t{64} << 20) + 1);
  CHECK_THROWS_WITH_AS(load_spair(folder.path, "test"), doctest::Contains("the limit is"),
                       DatasetError);
}

TEST_CASE("a malformed or contradictory annotation is refused with its file and key") {
  const SpairFolder folder;
  CHECK(load_spair(folder.path, "test").pairs.size() == 1);
  const auto contains = [&](const char* key, const Json& value, const std::string& part) {
    const std::string text = folder.refusal(key, value);
    CHECK_MESSAGE(text.find(part) != std::string::npos, key, ": ", text);
    const bool named = text.find(folder.annotation().string()) != std::string::npos ||
                       text.find("pair " + entry_line) != std::string::npos;
    CHECK_MESSAGE(named, text);
  };
  for (const char* key :
       {"filename", "category", "mirror", "src_imname", "trg_imname", "src_imsize", "trg_imsize",
        "src_bndbox", "trg_bndbox", "src_kps", "trg_kps", "kps_ids", "occlusion"}) {
    Json json = good_annotation();
    json.erase(key);
    folder.pair(json);
    CHECK_THROWS_WITH_AS(
        load_spair(folder.path, "test"),
        (folder.annotation().string() + ": the key '" + key + "' is missing").c_str(),
        DatasetError);
    contains(key, nullptr, "'" + std::string(key) + "'");
  }
  contains("filename", "000008-one-two:cat", "expected '000007-one-two:cat'");
  contains("category", "dog", "expected 'cat'");
  contains("mirror", 1, "'mirror'");
  contains("mirror", "0", "'mirror'");
  contains("src_imname", "two.jpg", "a picture named 'one'");
  contains("trg_imname", "../two.jpg", "a name without");
  contains("trg_imname", "two.png", "two.png is missing");
  contains("src_imsize", {30, 20}, "an array of 3");
  contains("src_imsize", {0, 20, 3}, "'src_imsize'[0]");
  contains("src_imsize", {30, 20000, 3}, "'src_imsize'[1]");
  contains("src_imsize", {30.5, 20, 3}, "'src_imsize'[0]");
  contains("trg_imsize", {40, 18446744073709551615U, 3}, "'trg_imsize'[1]");
  contains("trg_bndbox", {40, 5, 4, 35}, "x1 < x2");
  contains("trg_bndbox", {4, 5, 40, 5}, "y1 < y2");
  contains("trg_bndbox", {{"x1", 4}}, "an array");
  contains("trg_bndbox", {4, 5, 400, 35}, "does not fit");
  contains("src_bndbox", {9, 5, 4, 35}, "x1 < x2");
  contains("src_kps", {{1, 2}}, "1, 2 and 2 elements");
  contains("trg_kps", {{1, 2}}, "2, 1 and 2 elements");
  contains("kps_ids", {"1"}, "2, 2 and 1 elements");
  contains("kps_ids", {"1", "1"}, "occurs twice");
  contains("kps_ids", {"1", 2}, "a string");
  contains("kps_ids", {"1", "2x"}, "a keypoint id");
  contains("kps_ids", {"1", "-2"}, "a keypoint id");
  contains("src_kps", Json::array(), "at least one keypoint");
  contains("src_kps", {{1, 2}, {30.5, 20}}, "source keypoint 1 at (30.5, 20) is not inside");
  contains("trg_kps", {{1, 2}, {1, 50.5}}, "target keypoint 1");
  contains("trg_kps", {{-1, 2}, {1, 5}}, "target keypoint 0");
  contains("trg_kps", {{1, 2}, {1, 1e300}}, "target keypoint 1");
  contains("viewpoint_variation", 300, "'viewpoint_variation'");

  const auto refused = [&](const std::string& text, const char* part) {
    write_file(folder.annotation(), text);
    CHECK_THROWS_WITH_AS(load_spair(folder.path, "test"), doctest::Contains(part), DatasetError);
  };
  refused("[]", "expected an object");
  refused("", "not valid JSON");
  refused(good_annotation().dump().substr(0, 300), "not valid JSON");
  refused(R"({"mirror":0,"mirror":0})", "twice");
  refused(std::string((std::size_t{1} << 20) + 1, ' '), "the limit is 1048576");
  std::filesystem::remove(folder.annotation());
  CHECK_THROWS_WITH_AS(load_spair(folder.path, "test"),
                       doctest::Contains(folder.annotation().string().c_str()), DatasetError);

  // Without any of the four levels there is no variation; that is no error.
  Json plain = good_annotation();
  for (const char* key : {"viewpoint_variation", "scale_variation", "truncation", "occlusion"}) {
    plain.erase(key);
  }
  folder.pair(plain);
  CHECK_FALSE(load_spair(folder.path, "test").pairs[0].variation.has_value());
  std::filesystem::remove(folder.path / "JPEGImages/cat/two.jpg");
  CHECK_THROWS_WITH_AS(load_spair(folder.path, "test"),
                       doctest::Contains((folder.path / "JPEGImages/cat/two.jpg").string().c_str()),
                       DatasetError);
}

TEST_CASE("a picture's own annotation is checked in the same way") {
  const TemporaryFolder folder;
  const auto path = folder.path / "one.json";
  const Json good = Json::parse(R"({"filename":"one.jpg","category":"cat","image_width":30,
    "image_height":20,"bndbox":[1,2,30,20],"kps":{"0":[30,20],"1":null,"29":[0,0.5]}})");
  const auto load = [&](const char* key, const Json& value) {
    Json json = good;
    if (key != nullptr) json[key] = value;
    write_file(path, json.dump());
    return load_spair_image_annotation(path);
  };
  const SpairImage image = load(nullptr, nullptr);
  CHECK(image.parts.size() == 3);
  CHECK_FALSE(image.parts.at(1).has_value());
  CHECK(*image.parts.at(29) == Point<ImageFrame>{0, 0.5});
  CHECK_THROWS_AS(load("kps", Json::array()), DatasetError);
  CHECK_THROWS_AS(load("kps", {{"x", nullptr}}), DatasetError);
  CHECK_THROWS_AS(load("kps", {{"1", {1}}}), DatasetError);
  CHECK_THROWS_AS(load("kps", {{"1", {31, 2}}}), PointError);
  CHECK_THROWS_AS(load("bndbox", {3, 2, 3, 4}), DatasetError);
  CHECK_THROWS_AS(load("image_width", -1), DatasetError);
  CHECK_THROWS_AS(load("filename", "a/b"), DatasetError);
  CHECK_THROWS_AS(load_spair_image_annotation(folder.path / "absent.json"), DatasetError);
}
