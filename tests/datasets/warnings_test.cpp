// SPDX-License-Identifier: Apache-2.0
#include "homolog/datasets/warnings.hpp"

#include <doctest/doctest.h>

#include <string>

#include "drawn_set/generate.hpp"
#include "homolog/datasets/jsonl.hpp"
#include "homolog/datasets/spair.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

TEST_CASE("boxes given as x, y, width, height look legal and are said, with their number") {
  const TemporaryFolder folder;
  write_file(folder.path / "a.png", "not looked at");
  const auto line = [](const std::string& box) {
    return R"({"source":"a.png","target":"a.png","category":"car","source_keypoints":[[9,9],[8,8]],)"
           R"("target_keypoints":[[40,60],[119,100]])" +
           box + "}\n";
  };
  // A thing from (30, 50) to (120, 130): 90 wide and 80 high, which is a legal box, too.
  const std::string corners = line(R"(,"target_box":[30,50,120,130])");
  const std::string sides = line(R"(,"target_box":[30,50,90,80])");
  write_file(folder.path / "right.jsonl", corners + corners + line(""));
  CHECK(dataset_warnings(load_jsonl(folder.path, "right")).empty());
  write_file(folder.path / "wrong.jsonl", corners + sides + line("") + sides);
  const auto warnings = dataset_warnings(load_jsonl(folder.path, "wrong"));
  REQUIRE(warnings.size() == 1);
  CHECK(
      warnings[0].starts_with("jsonl wrong: 2 of 4 pairs have target keypoints outside their "
                              "target box"));
  CHECK(warnings[0].ends_with("the first is 000002-a-a:car"));
  // A box that does not give the threshold is nobody's concern.
  Dataset by_keypoints = load_jsonl(folder.path, "wrong");
  by_keypoints.norm = ThresholdNorm::keypoint_box;
  CHECK(dataset_warnings(by_keypoints).empty());
}

TEST_CASE("SPair-71k's own annotations and the drawn set raise no warning") {
  const TemporaryFolder folder;
  drawn_set::generate(folder.path / "drawn", {1, 2, 2, 3, 2});
  CHECK(dataset_warnings(load_spair(folder.path / "drawn", "test")).empty());
  const auto spair = test_data() / "SPair-71k";
  if (!std::filesystem::exists(spair)) return skip("no SPair-71k under HOMOLOG_TEST_DATA");
  CHECK(dataset_warnings(load_spair(spair, "test")).empty());
}
