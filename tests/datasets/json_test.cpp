// SPDX-License-Identifier: Apache-2.0
#include "homolog/datasets/detail/json.hpp"

#include <doctest/doctest.h>

#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::detail;

namespace {

std::string message(const std::string& content) {
  try {
    parse_json(content, "a.json");
  } catch (const DatasetError& error) {
    return error.what();
  }
  return "accepted";
}

std::string nested(int depth) {
  const auto count = static_cast<std::size_t>(depth);
  return std::string(count, '[') + std::string(count, ']');
}

}  // namespace

TEST_CASE("depth 32 is the deepest that is read") {
  CHECK(message(nested(32)) == "accepted");
  CHECK(message(nested(33)) == "a.json: JSON is nested deeper than 32");
  std::string bomb;
  for (int i = 0; i < 100000; ++i) bomb += "{\"a\":";
  CHECK(message(bomb) == "a.json: JSON is nested deeper than 32");
  CHECK(message(std::string(1000000, '[')) == "a.json: JSON is nested deeper than 32");
}

TEST_CASE("duplicate keys are an error at every level, equal keys of different objects are not") {
  CHECK(message(R"({"a":1,"a":1})") == "a.json: JSON has the key 'a' twice");
  CHECK(message(R"({"b":[{"x":1,"y":{},"x":2}]})") == "a.json: JSON has the key 'x' twice");
  CHECK(message(R"({"a":1,"\u0061":2})") == "a.json: JSON has the key 'a' twice");
  CHECK(message(R"({"a":{"a":[{"a":1},{"a":2}]},"b":{"a":1}})") == "accepted");
}

TEST_CASE("what is no JSON is one line that names the file") {
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string("nul"), std::string("[1,]"),
        std::string("{\"a\" 1}"), std::string("[NaN]"), std::string("[Infinity]"),
        std::string("[1e400]"), std::string("[01]"), std::string("1 2"),
        std::string("[\"\\ud800\"]"), std::string("[\"\\udc00\\ud800\"]"),
        std::string("[\"\xff\"]"), std::string("[\"\xc0\x80\"]"), std::string("[\"a\nb\"]"),
        std::string("\0", 1), "[" + std::string(1000000, '7') + "]",
        "[-" + std::string(1000000, '7') + "]", std::string("\xff\xfe{\0}\0", 6)}) {
    const std::string text = message(bad);
    CHECK_MESSAGE(text.starts_with("a.json: not valid JSON: "), text);
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text.size() < 200);
  }
  // A fraction of a million digits is a finite number.
  CHECK(message("[0." + std::string(1000000, '7') + "]") == "accepted");
}

TEST_CASE("a byte order mark is skipped by the reader of files") {
  const test::TemporaryFolder folder;
  test::write_file(folder.path / "bom.json", "\xEF\xBB\xBF{\"a\":1}\r\n");
  const std::string content = read_annotation(folder.path / "bom.json", 100);
  CHECK(parse_json(content, "a.json")["a"] == 1);
  CHECK_THROWS_AS(read_annotation(folder.path / "bom.json", 5), DatasetError);
  CHECK_THROWS_AS(read_annotation(folder.path / "absent.json", 5), DatasetError);
  CHECK_THROWS_AS(read_annotation(folder.path, 5), DatasetError);
}

TEST_CASE("typed access names the file and the way to the key") {
  const Json json = parse_json(R"({"s":"x","n":1.5,"i":7,"big":18446744073709551615,"neg":-3,
      "kps":[[1,2],[3,"4"]],"none":[],"box":[1,2,3,4],"flat":[1,2,1,4],"up":"../x"})",
                               "a.json");
  const JsonField object{json, "a.json"};
  CHECK(object.at("s").string() == "x");
  CHECK(object.at("n").number() == 1.5);
  CHECK(object.at("i").integer(0, 7) == 7);
  CHECK(object.at("neg").integer(-3, 7) == -3);
  CHECK(object.at("box").box() == Box<ImageFrame>{1, 2, 3, 4});
  CHECK_THROWS_WITH_AS(object.at("absent"), "a.json: the key 'absent' is missing", DatasetError);
  CHECK_THROWS_WITH_AS(object.at("s").number(), "a.json: 's': expected a finite number, got \"x\"",
                       DatasetError);
  CHECK_THROWS_WITH_AS(object.at("kps").points(),
                       "a.json: 'kps'[1][1]: expected a finite number, got \"4\"", DatasetError);
  CHECK_THROWS_WITH_AS(object.at("none").points(),
                       "a.json: 'none': expected at least one keypoint, got array of 0",
                       DatasetError);
  CHECK_THROWS_AS(object.at("box").points(), DatasetError);
  CHECK_THROWS_AS(object.at("flat").box(), DatasetError);
  CHECK_THROWS_AS(object.at("kps").box(), DatasetError);
  CHECK_THROWS_AS(object.at("i").string(), DatasetError);
  CHECK_THROWS_AS(object.at("i").integer(0, 6), DatasetError);
  CHECK_THROWS_AS(object.at("n").integer(0, 6), DatasetError);
  CHECK_THROWS_AS(object.at("big").integer(0, 6), DatasetError);
  CHECK_THROWS_AS(object.at("neg").integer(-2, 6), DatasetError);
  CHECK_THROWS_AS(object.at("i").array(), DatasetError);
  CHECK_THROWS_AS(object.at("box").array(3), DatasetError);
  CHECK_THROWS_AS(object.at("i").at("x"), DatasetError);
  CHECK_THROWS_AS(object.at("up").plain_name(), DatasetError);
}

TEST_CASE("names stay in their folder") {
  for (const char* good : {"a", "a b.png", "car(G)", "2008_007604.jpg", ".hidden"}) {
    CHECK(is_plain_name(good));
    CHECK(is_inside_path(good));
  }
  for (const char* bad : {"", ".", "..", "a..b", "a/b", "a\\b", "/a", "a\nb", "a\x7f"}) {
    CHECK_FALSE(is_plain_name(bad));
  }
  for (const char* good : {"a/b", "./a/b.png", "a/./b", "PF-dataset/car(G)/a.png"}) {
    CHECK(is_inside_path(good));
  }
  for (const char* bad : {"", "/", "/a", "a/", "a//b", "../a", "a/../b", "a/..", "./..", "a/.",
                          "a\\b", "a/b\\..\\c", "a\tb"}) {
    CHECK_FALSE(is_inside_path(bad));
  }
}

TEST_CASE("numbers are read whole") {
  CHECK(parse_number<int>("12") == 12);
  for (const char* bad : {"1.0", "99999999999", "", "1x"}) {
    CHECK_FALSE(parse_number<int>(bad).has_value());
  }
}

TEST_CASE("lines are numbered from 1, end with LF or CRLF, and are capped") {
  std::vector<std::pair<std::string, std::size_t>> seen;
  const auto collect = [&](std::string_view line, std::size_t number) {
    seen.emplace_back(line, number);
  };
  for_each_line("ab\r\n\n  \t\ncd", "x", 4, collect);
  CHECK(seen == decltype(seen){{"ab", 1}, {"cd", 4}});
  CHECK_THROWS_WITH_AS(for_each_line("ab\nabcde\n", "x", 4, collect),
                       "x line 2: 5 bytes, the limit is 4", DatasetError);
}
