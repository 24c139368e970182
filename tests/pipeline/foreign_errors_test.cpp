// SPDX-License-Identifier: Apache-2.0
// Whatever is wrong outside, what is thrown is homolog's: one base class catches every failure.
#include <doctest/doctest.h>

#include <array>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <typeinfo>

#include "drawn_set/generate.hpp"
#include "homolog/backbones/synthetic.hpp"
#include "homolog/core/files.hpp"
#include "homolog/datasets/jsonl.hpp"
#include "homolog/datasets/pf_willow_csv.hpp"
#include "homolog/datasets/spair.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/images/encode.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

/// The type of what `action` throws, in words; "nothing" where it throws nothing.
template <class Action>
std::string thrown_by(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return "homolog::Error";
  } catch (const std::exception& error) {
    return std::string(typeid(error).name()) + ": " + error.what();
  }
  return "nothing";
}

}  // namespace

TEST_CASE("paths of every wrong kind give homolog's errors") {
  const TemporaryFolder folder;
  const auto file = folder.path / "file";
  write_file(file, "text");
  std::filesystem::create_directory(folder.path / "folder");
  std::filesystem::create_symlink(folder.path / "loop", folder.path / "loop");
  const std::array<std::filesystem::path, 8> wrong{folder.path / "absent" / "file",
                                                   folder.path / "folder",
                                                   file / "below_a_file",
                                                   folder.path / std::string(300, 'n'),
                                                   folder.path / std::string(5000, 'n'),
                                                   folder.path / "loop",
                                                   "/dev/null",
                                                   std::string("a\0b", 3)};
  const Image picture(8, 8);
  for (const auto& path : wrong) {
    CAPTURE(path.string().substr(0, 80));
    const std::string expected = "homolog::Error";
    CHECK(thrown_by([&] { homolog::read_file(path, 1000); }) == expected);
    CHECK(thrown_by([&] { load_image(path); }) == expected);
    CHECK(thrown_by([&] { read_image_size(path); }) == expected);
    CHECK(thrown_by([&] { load_jsonl(path, "test"); }) == expected);
    CHECK(thrown_by([&] { load_spair(path, "test"); }) == expected);
    CHECK(thrown_by([&] { load_spair_image_annotation(path); }) == expected);
    Dataset dataset{"one", "test", ThresholdNorm::image_size, {}};
    dataset.pairs.resize(1);
    dataset.pairs[0].source = dataset.pairs[0].target = path;
    dataset.pairs[0].source_keypoints = dataset.pairs[0].target_keypoints = {{1, 1}};
    CHECK(thrown_by([&] { evaluate(Pipeline<SyntheticBackbone>(), dataset); }) == expected);
    if (path == "/dev/null" || path.string().size() == 3) continue;  // not to be written to
    CHECK(thrown_by([&] { write_file_atomically(path, "bytes"); }) ==
          (path == folder.path / "loop" ? "nothing" : expected));
  }
  for (const auto& path : {file / "below_a_file", folder.path / std::string(300, 'n')}) {
    CHECK(thrown_by([&] { homolog::make_folders(path); }) == "homolog::Error");
    CHECK(thrown_by([&] { homolog::detail::remove_file(path); }) == "homolog::Error");
    CHECK(thrown_by([&] { save_image(path / "a.png", picture); }) == "homolog::Error");
    CHECK(thrown_by([&] { drawn_set::generate(path, {1, 2, 2, 2, 1}); }) == "homolog::Error");
  }
}

TEST_CASE("JSON of every wrong type gives homolog's errors") {
  const TemporaryFolder folder;
  write_file(folder.path / "a.png", "not looked at");
  const auto right = nlohmann::json::parse(
      R"({"source":"a.png","target":"a.png","category":"car","source_keypoints":[[9,9]],)"
      R"("target_keypoints":[[4,6]],"target_box":[3,5,12,13]})");
  const auto load = [&](const std::string& line) {
    write_file(folder.path / "test.jsonl", line + "\n");
    return thrown_by([&] { load_jsonl(folder.path, "test"); });
  };
  REQUIRE(load(right.dump()) == "nothing");
  const std::array<std::string, 12> others{"null", "true",     "-1",          "1e999",
                                           "\"\"", "\"../b\"", "[]",          "{}",
                                           "[[]]", "[[1]]",    "[[1,\"2\"]]", "[{}]"};
  for (const auto& other : others) {
    CAPTURE(other);
    CHECK(load(other) == "homolog::Error");
    for (const auto& [key, ignored] : right.items()) {
      CAPTURE(key);
      std::string line = "{";
      for (const auto& [name, value] : right.items()) {
        line += nlohmann::json(name).dump() + ":" + (name == key ? other : value.dump()) + ",";
      }
      line.back() = '}';
      CHECK(load(line) == "homolog::Error");
    }
  }
  CHECK(load("\xff") == "homolog::Error");
  CHECK(load("{\"source\":\"\xff\"}") == "homolog::Error");
}
