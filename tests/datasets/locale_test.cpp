// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <clocale>
#include <cstdlib>
#include <locale>

#include "homolog/datasets/jsonl.hpp"
#include "homolog/datasets/pf_pascal.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

struct GermanNumbers : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

// The process in a locale that writes 1.234,5; as it was at the end of the scope.
struct GermanProcess {
  TemporaryFolder compiled;
  std::string before = std::setlocale(LC_ALL, nullptr);
  std::locale cpp_before = std::locale::global(std::locale(std::locale(), new GermanNumbers));
  bool german_c = false;

  GermanProcess() {
    for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "de_DE"}) {
      german_c = german_c || std::setlocale(LC_ALL, name) != nullptr;
    }
    if (!german_c) {  // not installed: compile it into a folder of our own where that is possible
      const std::string target = (compiled.path / "de_DE.UTF-8").string();
      const std::string command =
          "localedef --no-archive -i de_DE -f UTF-8 '" + target + "' >/dev/null 2>&1";
      if (std::system(command.c_str()) == 0) {
        ::setenv("LOCPATH", compiled.path.c_str(), 1);
        german_c = std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
        ::unsetenv("LOCPATH");
      }
    }
  }
  ~GermanProcess() {
    std::locale::global(cpp_before);
    std::setlocale(LC_ALL, before.c_str());
  }
};

}  // namespace

TEST_CASE("numbers do not depend on the locale: under a German one the point stays a point") {
  const GermanProcess german;
  const std::string list =
      "source_image,target_image,class,XA,YA,XB,YB\nd/a,d/b,1,1.5;1234.25,3;4,5;6,7;8\n";
  const auto rows = parse_pf_pascal_csv(list, "l.csv");
  CHECK(rows[0].source_keypoints == Points<ImageFrame>{{1.5, 3}, {1234.25, 4}});
  const Pair pair = parse_jsonl_pair(
      R"({"source":"a","target":"b","category":"c","source_keypoints":[[1.5,1234.25]],)"
      R"("target_keypoints":[[2.5e2,0.125]]})",
      1, "l", "d");
  CHECK(pair.source_keypoints == Points<ImageFrame>{{1.5, 1234.25}});
  CHECK(pair.target_keypoints == Points<ImageFrame>{{250, 0.125}});
  // Error texts too: "1234.5" and not "1.234,5".
  CHECK_THROWS_WITH_AS(
      parse_pf_pascal_csv("source_image,target_image,class,XA,YA,XB,YB\nd/a,d/b,1,-1234.5,3,5,7\n",
                          "l.csv"),
      doctest::Contains("(-1234.5, 3)"), PointError);

  if (!german.german_c) return skip("the C locale part: no German locale and no localedef here");
  REQUIRE(std::string(std::localeconv()->decimal_point) == ",");
  CHECK(std::strtod("1.5", nullptr) == 1);  // what a reader built on strtod would make of it
}
