// SPDX-License-Identifier: Apache-2.0
// Seeded mutations of small valid annotations through every parser: each gives a result that keeps
// the promises of a Pair, or a typed error of one line; never a crash, a hang or another exception.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "datasets/matlab_bytes.hpp"
#include "homolog/datasets/jsonl.hpp"
#include "homolog/datasets/matlab.hpp"
#include "homolog/datasets/pf_pascal.hpp"
#include "homolog/datasets/pf_willow_csv.hpp"
#include "homolog/datasets/spair.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

struct Mutator {
  std::mt19937 random;
  explicit Mutator(unsigned seed) : random(seed) {}

  std::size_t below(std::size_t limit) { return random() % limit; }

  std::string operator()(std::string bytes, const std::vector<std::string>& dictionary) {
    for (std::size_t change = 0, changes = 1 + below(4); change < changes; ++change) {
      const std::size_t at = below(bytes.size() + 1);
      const std::size_t length = std::min(below(9), bytes.size() - at);
      switch (below(6)) {
        case 0:
          if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
          break;
        case 1:
          if (at < bytes.size()) bytes[at] = static_cast<char>(below(256));
          break;
        case 2:
          bytes.erase(at, length);
          break;
        case 3:
          bytes.insert(below(bytes.size() + 1), bytes.substr(at, length));
          break;
        case 4:
          bytes.replace(at, length, dictionary[below(dictionary.size())]);
          break;
        default:
          if (below(8) == 0) bytes.resize(at);
      }
    }
    return bytes;
  }
};

// Runs `read` on mutations of `seed`; it returns after checking its result, or throws an Error.
template <class Read>
void fuzz(unsigned seed, const std::string& valid, const std::vector<std::string>& dictionary,
          Read read, int mutations = 5000) {
  CHECK_NOTHROW(read(valid));
  Mutator mutate(seed);
  int accepted = 0, refused = 0;
  for (int trial = 0; trial < mutations; ++trial) {
    const std::string bytes = mutate(valid, dictionary);
    try {
      read(bytes);
      ++accepted;
    } catch (const Error& error) {
      ++refused;
      const std::string text = error.what();
      const bool one_line = text.find('\n') == std::string::npos && text.size() < 1000;
      if (!one_line) FAIL("seed ", seed, " trial ", trial, ": ", text);
    } catch (const std::exception& error) {
      FAIL("seed ", seed, " trial ", trial, ": untyped error ", error.what());
    }
  }
  CHECK(accepted + refused == mutations);
  CHECK(refused > mutations / 10);  // else the mutations would not reach the checks
  MESSAGE("accepted ", accepted, ", refused ", refused);
}

void require_sound(const Points<ImageFrame>& source, const Points<ImageFrame>& target) {
  REQUIRE(source.size() == target.size());
  REQUIRE(source.size() > 0);
  for (const auto* points : {&source, &target}) {
    for (const auto [x, y] : *points) {
      const bool inside = x >= 0 && y >= 0 && x <= 16384 && y <= 16384;
      REQUIRE(inside);
    }
  }
}

const std::vector<std::string> json_words{"null",
                                          "-1",
                                          "1e999",
                                          "1e300",
                                          "0.5",
                                          "[",
                                          "]",
                                          "{",
                                          "}",
                                          ",",
                                          ":",
                                          "\"",
                                          "\"a\"",
                                          "..",
                                          "/",
                                          "\\u0000",
                                          "\\ud800",
                                          "\xff",
                                          "\"source\":1,",
                                          "NaN",
                                          "[[",
                                          "true"};
const std::vector<std::string> csv_words{",",  ";",  "\n", "\r\n", "nan", "inf", "1e300",
                                         "-1", "..", "/",  "0",    "21",  "\"",  ""};

}  // namespace

TEST_CASE("fuzz: a line of a user's list") {
  fuzz(
      1,
      R"({"source":"a/b.png","target":"c.png","category":"car","source_keypoints":[[1,2],[3.5,4]],)"
      R"("target_keypoints":[[5,6],[7,9]],"target_box":[1,2,3,4]})",
      json_words, [](const std::string& bytes) {
        const Pair pair = parse_jsonl_pair(bytes, 1, "l", "root");
        require_sound(pair.source_keypoints, pair.target_keypoints);
        REQUIRE(pair.source.lexically_normal().string().starts_with("root/"));
        REQUIRE(pair.target.lexically_normal().string().starts_with("root/"));
      });
}

TEST_CASE("fuzz: a pair of SPair-71k, and its layout line") {
  const std::string line = "000007-one-two:cat";
  const SpairEntry entry = parse_spair_entry(line, "x");
  fuzz(2,
       R"({"filename":"000007-one-two:cat","src_imname":"one.jpg","trg_imname":"two.jpg",)"
       R"("src_imsize":[30,20,3],"trg_imsize":[40,50,3],"src_bndbox":[1,2,30,20],)"
       R"("trg_bndbox":[4,5,40,35],"category":"cat","src_kps":[[1,2],[30,20]],)"
       R"("trg_kps":[[5,6],[40,50]],"kps_ids":["3","11"],"mirror":0})",
       json_words, [&](const std::string& bytes) {
         const Pair pair = parse_spair_pair(bytes, "a.json", entry, "root");
         require_sound(pair.source_keypoints, pair.target_keypoints);
         REQUIRE_NOTHROW(validate_pair(pair, *pair.source_size, *pair.target_size));
         REQUIRE(pair.target.parent_path() == "root/JPEGImages/cat");
       });
  fuzz(3, line, {"-", ":", "/", "..", "\\", std::string(1, '\0'), "é"},
       [](const std::string& bytes) {
         const SpairEntry read = parse_spair_entry(bytes, "x");
         for (const std::string& part : {read.source_stem, read.target_stem, read.category}) {
           const bool plain = part.find_first_of("/\\") == std::string::npos && !part.empty();
           REQUIRE(plain);
         }
       });
}

TEST_CASE("fuzz: the lists of the PF data sets") {
  const auto pascal = [](const std::string& bytes) {
    for (const PfPascalRow& row : parse_pf_pascal_csv(bytes, "l.csv")) {
      if (row.has_keypoints) require_sound(row.source_keypoints, row.target_keypoints);
      const bool known = row.class_index >= 1 && row.class_index <= 20;
      REQUIRE(known);
    }
  };
  fuzz(4, "source_image,target_image,class,XA,YA,XB,YB\nd/a,d/b,1,1;2,3;4,5;6,7;8\n", csv_words,
       pascal);
  fuzz(5, "source_image,target_image,class,flip\nd/a,d/b,1,1\nd/a,d/c,20,0\n", csv_words, pascal);
  std::string willow = "imageA,imageB";
  for (const char* column : {"XA", "YA", "XB", "YB"}) {
    for (int i = 1; i <= 10; ++i) willow += "," + std::string(column) + std::to_string(i);
  }
  willow += "\nd/car/a,d/car/b";
  for (int i = 0; i < 40; ++i) willow += "," + std::to_string(i);
  fuzz(6, willow, csv_words, [](const std::string& bytes) {
    for (const PfWillowRow& row : parse_pf_willow_csv(bytes, "l.csv")) {
      require_sound(row.source_keypoints, row.target_keypoints);
      REQUIRE(row.source_keypoints.size() == 10);
    }
  });
}

TEST_CASE("fuzz: .mat, plain and with the mutation inside the compressed element") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& bytes) {
    write_file(folder.path / "a.mat", bytes);
    const MatlabMatrix matrix = read_matlab_matrix(folder.path / "a.mat", "kps", {-1, 2});
    REQUIRE(matrix.cols == 2);
    REQUIRE(matrix.values.size() == matrix.rows * 2);
  };
  unsigned seed = 7;
  for (const bool big : {false, true}) {
    const MatlabBytes make{big};
    const std::string matrix = make.matrix("kps", {3, 2}, {1, 2, 3, 4, 5, 6});
    const std::string fields("a\0b\0", 4);
    const std::string body =
        make.cell("c", make.matrix("", {1, 1}, {7}) + make.element(14, ""), 2) +
        make.element(14, make.flags(2) + make.dimensions({1, 1}) + make.small(1, "s") +
                             make.small(5, make.number(2, 4)) + make.small(1, fields) +
                             make.matrix("", {1, 1}, {7}) + make.matrix("", {0, 0}, {})) +
        matrix;
    std::vector<std::string> words;
    for (const std::uint64_t value : {0ULL, 1ULL, 6ULL, 9ULL, 14ULL, 15ULL, 16ULL, 17ULL, 255ULL,
                                      65536ULL, 0x7fffffffULL, 0xffffffffULL}) {
      words.push_back(make.number(value, 4));
    }
    words.push_back(matrix);
    // The walk alone, in memory; then the whole reader.
    fuzz(seed++, make.header() + body, words, [](const std::string& bytes) {
      for (const auto& variable : detail::MatlabWalk(bytes, "a.mat").variables("kps")) {
        REQUIRE(variable.dimensions.size() <= 16);
      }
    });
    fuzz(seed++, make.header() + body, words, read, 1000);
    fuzz(seed++, make.header() + make.compressed(matrix), words, read, 500);
    // The mutated element is packed again, so that zlib accepts it.
    const auto packed = [&](const std::string& bytes) {
      read(make.header() + make.compressed(bytes) + make.compressed(matrix));
    };
    fuzz(seed++, make.cell("c", make.matrix("", {1, 1}, {7}), 1), words, packed, 500);
    fuzz(
        seed++, matrix, words,
        [&](const std::string& bytes) { read(make.header() + make.compressed(bytes)); }, 1000);
  }
}
