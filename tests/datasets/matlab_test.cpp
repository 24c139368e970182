// SPDX-License-Identifier: Apache-2.0
#include "homolog/datasets/matlab.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "datasets/matlab_bytes.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

const MatlabBytes little;
const std::vector<double> six{1, 2.5, -3, 4, 5, 1e300};

struct MatlabFolder : TemporaryFolder {
  MatlabMatrix read(const std::string& bytes, const char* variable = "kps",
                    std::array<std::ptrdiff_t, 2> shape = {-1, -1}) const {
    write_file(path / "a.mat", bytes);
    return read_matlab_matrix(path / "a.mat", variable, shape);
  }
  void refused(const std::string& bytes, const char* part) const {
    CHECK_THROWS_WITH_AS(read(bytes), doctest::Contains(part), DatasetError);
    CHECK_THROWS_WITH_AS(read(bytes), doctest::Contains((path / "a.mat").string().c_str()),
                         DatasetError);
  }
};

}  // namespace

TEST_CASE("a double matrix reads the same plain, compressed, little- and big-endian") {
  const MatlabFolder folder;
  for (const bool big : {false, true}) {
    const MatlabBytes make{big};
    const std::string matrix = make.matrix("kps", {3, 2}, six);
    for (const std::string& body :
         {matrix, make.compressed(matrix),
          make.matrix("other", {1, 1}, {7}) + make.compressed(matrix),
          make.compressed(matrix) + make.cell("c", make.matrix("", {1, 1}, {7}), 1)}) {
      const MatlabMatrix read = folder.read(make.header() + body, "kps", {3, 2});
      CHECK(read.rows == 3);
      CHECK(read.cols == 2);
      CHECK(read.values == six);
      CHECK(read(2, 1) == 1e300);
      CHECK(read(0, 1) == 4);
    }
  }
}

TEST_CASE("doubles stored as small integers, an empty matrix and NaN are read as they are") {
  const MatlabFolder folder;
  const std::string stored =
      little.element(14, little.flags(6) + little.dimensions({1, 3}) + little.small(1, "kps") +
                             little.small(2, std::string("\x01\xff\x03", 3)));
  CHECK(folder.read(little.header() + stored).values == std::vector<double>{1, 255, 3});
  CHECK(folder.read(little.header() + little.matrix("kps", {0, 2}, {})).values.empty());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(folder.read(little.header() + little.matrix("kps", {1, 1}, {nan}))(0, 0)));
}

TEST_CASE("doubles are read from every type that a writer may store them as") {
  const MatlabFolder folder;
  const auto whole = [](auto value) { return static_cast<std::uint64_t>(value); };
  const auto least = std::numeric_limits<std::int64_t>::min();
  const auto most = std::numeric_limits<std::uint64_t>::max();
  struct Stored {
    std::uint32_t type;
    std::size_t size;
    std::uint64_t bits;
    double value;
  };
  for (const bool big : {false, true}) {
    const MatlabBytes make{big};
    for (const Stored& stored :
         std::vector<Stored>{{1, 1, 0x80, -128},
                             {2, 1, 0xff, 255},
                             {3, 2, 0x8001, -32767},
                             {4, 2, 0xfffe, 65534},
                             {5, 4, 0x80000000, -2147483648.0},
                             {6, 4, 0xffffffff, 4294967295.0},
                             {7, 4, std::bit_cast<std::uint32_t>(-1.5F), -1.5},
                             {9, 8, std::bit_cast<std::uint64_t>(0.1), 0.1},
                             {12, 8, whole(least), static_cast<double>(least)},
                             {13, 8, most, static_cast<double>(most)}}) {
      CAPTURE(stored.type);
      const std::string values = make.number(stored.bits, stored.size);
      const std::string body =
          make.element(14, make.flags(6) + make.dimensions({2, 1}) + make.element(1, "kps") +
                               make.element(stored.type, values + values));
      const std::vector<double> expected{stored.value, stored.value};
      CHECK(folder.read(make.header() + body).values == expected);
      CHECK(folder.read(make.header() + make.compressed(body)).values == expected);
    }
    for (const std::uint32_t type : {0, 8, 10, 16, 17, 18, 19}) {
      folder.refused(
          make.header() + make.element(14, make.flags(6) + make.dimensions({0, 1}) +
                                               make.element(1, "kps") + make.element(type, "")),
          "values of element type");
    }
  }
}

TEST_CASE("what is no MATLAB 5 file is refused by name") {
  const MatlabFolder folder;
  const std::string body = little.matrix("kps", {3, 2}, six);
  folder.refused("", "0 bytes, the header has 128");
  folder.refused(little.header().substr(0, 127), "127 bytes");
  folder.refused(std::string(400, 'x'), "does not start with 'MATLAB'");
  folder.refused(little.header(0x0200) + body, "MATLAB 7.3 (HDF5) file is not supported");
  folder.refused("MATLAB 7.3 MAT-file" + std::string(200, ' '), "MATLAB 7.3 (HDF5)");
  folder.refused("\x89HDF\r\n\x1a\n" + std::string(200, ' '), "MATLAB 7.3 (HDF5)");
  folder.refused(little.header(0x0400) + body, "version 1024, expected 256");
  std::string order = little.header() + body;
  order[126] = 'X';
  folder.refused(order, "byte order mark");
  folder.refused(little.header(), "no variable 'kps'");
  CHECK_THROWS_WITH_AS(read_matlab_matrix(folder.path / "absent.mat", "kps"),
                       doctest::Contains("absent.mat"), DatasetError);
}

TEST_CASE("the variable must be there once, double, real and of the shape that was asked for") {
  const MatlabFolder folder;
  const std::string body = little.matrix("kps", {3, 2}, six);
  const std::string h = little.header();
  folder.refused(h + little.matrix("bbox", {1, 1}, {7}) + little.matrix("pts", {1, 1}, {7}),
                 "no variable 'kps', there are: bbox, pts");
  folder.refused(h + body + body, "occurs twice");
  const auto of_class = [&](std::uint32_t bits, const std::string& values) {
    return h + little.element(14, little.flags(bits) + little.dimensions({1, 2}) +
                                      little.element(1, "kps") + values);
  };
  folder.refused(of_class(7, little.element(7, std::string(8, '\0'))), "class double (class 7)");
  folder.refused(of_class(4, little.element(4, std::string(4, 'a'))), "class double (class 4)");
  folder.refused(of_class(0x0806, little.doubles({1, 2}) + little.doubles({3, 4})), "complex");
  folder.refused(of_class(5, little.doubles({1, 2})), "class 5 (sparse, object or function)");
  folder.refused(of_class(17, little.doubles({1, 2})), "not supported");
  CHECK_THROWS_WITH_AS(folder.read(h + body, "kps", {2, 10}),
                       doctest::Contains("has shape [3, 2], expected [2, 10]"), DatasetError);
  CHECK_THROWS_AS(folder.read(h + body, "kps", {-1, 3}), DatasetError);
  folder.refused(h + little.matrix("kps", {1, 2, 3}, six), "shape [1, 2, 3]");
}

TEST_CASE("sizes that lie are found, and what is cut short or damaged") {
  const MatlabFolder folder;
  const std::string h = little.header();
  const std::string body = little.matrix("kps", {3, 2}, six);
  for (std::size_t size = h.size() + 1; size < h.size() + body.size(); ++size) {
    CHECK_THROWS_AS(folder.read((h + body).substr(0, size)), DatasetError);
  }
  folder.refused(h + little.matrix("kps", {3, 3}, six), "48 bytes of values");
  folder.refused(h + little.matrix("kps", {3, 1}, six), "48 bytes of values");
  folder.refused(h + little.matrix("kps", {4000000000U, 2}, six), "too large");
  folder.refused(h + little.matrix("kps", {65536, 65536}, six), "too large");
  folder.refused(h + little.matrix("kps", {1}, {7}), "expected 2 to 16 numbers");
  folder.refused(h + little.matrix("kps", std::vector<std::uint32_t>(17, 1), {7}),
                 "expected 2 to 16 numbers");
  CHECK_THROWS_WITH_AS(
      folder.read(h + little.matrix("kps", std::vector<std::uint32_t>(16, 1), {7})),
      doctest::Contains("has shape [1, 1"), DatasetError);
  folder.refused(h + little.element(14, std::string()), "8 bytes, 0 are left");
  folder.refused(h + little.element(9, std::string(8, '\0')), "unexpected element of type 9");
  folder.refused(h + little.small(1, "kps"), "a small element outside a matrix");
  // The element inside announces more than the compressed element holds.
  std::string longer = body;
  longer.replace(4, 4, little.number(body.size() + 1000, 4));
  folder.refused(h + little.compressed(longer), "are left");
  folder.refused(h + little.compressed("x"), "an element's tag needs 8 bytes");
  folder.refused(h + little.compressed(little.element(9, std::string(8, '\0'))), "no matrix");
  folder.refused(h + little.compressed(body + body), "bytes follow the matrix");
  std::string damaged = h + little.compressed(body);
  folder.refused(damaged.substr(0, damaged.size() - 4), "announces");
  damaged[damaged.size() - 3] = static_cast<char>(damaged[damaged.size() - 3] ^ 1);  // checksum
  folder.refused(damaged, "cut short or damaged");
  folder.refused(h + little.element(14, little.flags(2) + little.dimensions({1, 1}) +
                                            little.element(1, "s") + little.small(5, "\x01")),
                 "needs 8 bytes");
}

TEST_CASE("cells are walked to a depth of 16") {
  const MatlabFolder folder;
  const auto nested = [](int depth) {
    std::string inner = little.matrix("", {1, 1}, {7});
    for (int i = 1; i < depth; ++i) inner = little.cell(i + 1 == depth ? "c" : "", inner, 1);
    return inner;
  };
  const std::string h = little.header() + little.matrix("kps", {3, 2}, six);
  CHECK(folder.read(h + nested(16)).values == six);
  folder.refused(h + nested(17), "nested deeper than 16");
  folder.refused(h + nested(2000), "nested deeper than 16");
  folder.refused(h + little.cell("c", "", 4000000), "fewer cells than announced");
}

TEST_CASE("a struct beside the variable is walked, and one that lies is refused") {
  const MatlabFolder folder;
  const auto with_fields = [](std::uint32_t each, const std::string& names, std::uint32_t count,
                              const std::string& values) {
    return little.element(14, little.flags(2) + little.dimensions({1, count}) +
                                  little.element(1, "s") + little.small(5, little.number(each, 4)) +
                                  little.element(1, names) + values);
  };
  const std::string h = little.header();
  const std::string body = little.matrix("kps", {3, 2}, six);
  const std::string one = little.matrix("", {1, 1}, {7});
  const std::string names("ab\0\0cd\0\0", 8);
  CHECK(folder.read(h + with_fields(4, names, 1, one + one) + body).values == six);
  folder.refused(h + with_fields(4, names, 1, one) + body, "needs 8 bytes");
  folder.refused(h + with_fields(4, names, 4000000, one + one) + body, "fewer fields");
  folder.refused(h + with_fields(3, names, 1, one + one) + body, "bad field names");
  folder.refused(h + with_fields(0, names, 1, one + one) + body, "bad field names");
  folder.refused(h + with_fields(4, "abcdabcd", 1, one + one) + body, "field name without end");
  folder.refused(h + with_fields(4, names, 1, one + one + one) + body, "follow the end");
}

TEST_CASE("caps: file 16 MiB, inflated 64 MiB, 1000 times") {
  const MatlabFolder folder;
  const std::string h = little.header();
  write_file(folder.path / "big.mat", h);
  std::filesystem::resize_file(folder.path / "big.mat", (std::uintmax_t{16} << 20) + 1);  // sparse
  CHECK_THROWS_WITH_AS(read_matlab_matrix(folder.path / "big.mat", "kps"),
                       doctest::Contains("the limit is 16777216"), DatasetError);
  // 8 MiB of zeros shrink more than 1000 times: a bomb, refused by its ratio.
  const std::string zeros =
      little.matrix("kps", {1U << 20, 1}, std::vector<double>(std::size_t{1} << 20));
  folder.refused(h + little.compressed(zeros), "more than 1000 times");
  // Values that shrink less: below the ratio, but 65 MiB in all.
  std::vector<double> values(std::size_t{1} << 20);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i * i % 97);
  const std::string part = little.compressed(little.matrix("kps", {1U << 20, 1}, values));
  CHECK(folder.read(h + part).values == values);
  std::string many = h;
  for (int i = 0; i < 8; ++i) many += part;  // eight headers lift it over 64 MiB
  folder.refused(many, "inflates to more than 67108864 bytes");
}

TEST_CASE("a thousand refusals leave no file open") {
  const MatlabFolder folder;
  const auto open_files = [] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      count += entry.exists() || entry.is_symlink();
    }
    return count;
  };
  if (!std::filesystem::exists("/proc/self/fd")) return skip("no /proc/self/fd here");
  const std::size_t before = open_files();
  const std::string good = little.header() + little.compressed(little.matrix("kps", {3, 2}, six));
  for (int i = 0; i < 1000; ++i) {
    const auto size = static_cast<std::size_t>(i) % good.size();
    CHECK_THROWS_AS(folder.read(good.substr(0, size)), DatasetError);
  }
  for (int i = 0; i < 20; ++i) CHECK(folder.read(good).values == six);
  CHECK(open_files() == before);
}
