// SPDX-License-Identifier: Apache-2.0
#include "homolog/weights/safetensors.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "homolog/weights/read_weights.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"
#include "weights/mutations.hpp"
#include "weights/torch_archive.hpp"

using namespace homolog;
using test::bytes_of;

namespace {

std::string safetensors(const std::string& header, const std::string& data = "") {
  return bytes_of(static_cast<std::uint64_t>(header.size())) + header + data;
}

/// What the reader says about a file, or "accepted".
std::string safetensors_verdict(const std::string& bytes) {
  try {
    parse_safetensors(bytes, "file");
    return "accepted";
  } catch (const WeightsError& error) {
    return error.what();
  }
}

bool refused_safetensors(const std::string& bytes, const std::string& reason) {
  const std::string got = safetensors_verdict(bytes);
  INFO(got);
  const bool right = got.starts_with("file: ") && got.find(reason) != std::string::npos;
  CHECK(right);
  return right;
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

const std::string good_header = R"({"__metadata__":{"format":"pt"},"a":)" +
                                entry("F32", "[2,2]", "[0,16]") + R"(,"b":)" +
                                entry("I16", "[3]", "[16,22]") + "}";
const std::string good_data =
    bytes_of(std::vector<float>{1, 2, 3, 4}) + bytes_of(std::vector<std::int16_t>{-1, 0, 7});

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

std::ptrdiff_t mappings() {
  const std::string maps = test::read_file("/proc/self/maps");
  return std::count(maps.begin(), maps.end(), '\n');
}

}  // namespace

TEST_CASE("a well-formed file gives its tensors and metadata") {
  const std::string bytes = safetensors(good_header, good_data);
  const TensorFile file = parse_safetensors(bytes, "file");
  REQUIRE(file.tensors.size() == 2);
  const TensorView& a = file.tensors.at("a");
  CHECK(a.dtype == DType::f32);
  CHECK(a.shape == std::vector<std::int64_t>{2, 2});
  CHECK(std::string(reinterpret_cast<const char*>(a.bytes.data()), a.bytes.size()) ==
        good_data.substr(0, 16));
  CHECK(file.tensors.at("b").dtype == DType::i16);
  CHECK(element_count(file.tensors.at("b")) == 3);
  CHECK(file.metadata.at("format") == "pt");
  CHECK(file.name == "file");
}

TEST_CASE("the length field: too short, too large, behind the end") {
  refused_safetensors("", "0 bytes are too few");
  refused_safetensors(std::string(7, '\0'), "7 bytes are too few");
  refused_safetensors(bytes_of(std::uint64_t{100'000'001}) + "{}", "the limit is 100000000");
  refused_safetensors(std::string(4, '\0') + std::string(4, '\xff') + "{}",
                      "the limit is 100000000");
  refused_safetensors(bytes_of(~std::uint64_t{0}), "the limit is 100000000");
  refused_safetensors(bytes_of(std::uint64_t{1}), "the header ends at byte 9, the file has 8");
  refused_safetensors(bytes_of(std::uint64_t{100'000'000}) + "{}",
                      "the header ends at byte 100000008");
}

TEST_CASE("a huge header is parsed or refused, never a crash") {
  // Legal: only blanks behind the braces. Not legal: brackets by the million.
  CHECK(safetensors_verdict(safetensors("{}" + std::string(20'000'000, ' '))) == "accepted");
  refused_safetensors(safetensors(R"({"a":)" + std::string(5'000'000, '[')), "got an array");
  refused_safetensors(safetensors(std::string(5'000'000, '{')), "not JSON");
}

TEST_CASE("the header must be UTF-8 and JSON") {
  refused_safetensors(safetensors("\xff"), "not valid UTF-8");
  refused_safetensors(safetensors("{\"\xc0\xaf\":1}"), "not valid UTF-8");      // overlong
  refused_safetensors(safetensors("{\"\xed\xa0\x80\":1}"), "not valid UTF-8");  // surrogate
  refused_safetensors(safetensors("{\"\xf4\x90\x80\x80\":1}"),
                      "not valid UTF-8");                              // above U+10FFFF
  refused_safetensors(safetensors("{\"\xe2\x82"), "not valid UTF-8");  // cut
  refused_safetensors(safetensors("{"), "not JSON");
  refused_safetensors(safetensors(""), "does not start with '{'");
  refused_safetensors(safetensors("  "), "does not start with '{'");
  refused_safetensors(safetensors("[]"), "does not start with '{'");
  refused_safetensors(safetensors("\xef\xbb\xbf{}"), "does not start with '{'");
  refused_safetensors(safetensors(std::string("{}\0", 3)), "zero byte");
  refused_safetensors(safetensors(std::string("{}\0{", 4)), "zero byte");
  refused_safetensors(safetensors("{}{}"), "not JSON");
  refused_safetensors(safetensors("{}x"), "not JSON");
  refused_safetensors(safetensors(R"({"\ud800":)" + entry("F32", "[]", "[0,4]") + "}", "1234"),
                      "not JSON");
  refused_safetensors(safetensors("{/*c*/}"), "not JSON");
  CHECK(safetensors_verdict(safetensors("{}")) == "accepted");
  CHECK(safetensors_verdict(safetensors("{}   ")) == "accepted");
  CHECK(safetensors_verdict(safetensors("  {}\n")) == "accepted");
}

TEST_CASE("an entry has dtype, shape and data_offsets of the right types, once each") {
  const auto one = [](const std::string& value) { return safetensors(R"({"a":)" + value + "}"); };
  refused_safetensors(one("1"), "tensor 'a': expected an object, got a number");
  refused_safetensors(one("[]"), "tensor 'a': expected an object, got an array");
  refused_safetensors(one("null"), "tensor 'a': expected an object, got null");
  refused_safetensors(one("{}"), "tensor 'a' lacks dtype");
  refused_safetensors(one(R"({"dtype":"F32","shape":[]})"), "tensor 'a' lacks data_offsets");
  refused_safetensors(one(R"({"dtype":"F32","data_offsets":[0,0]})"), "tensor 'a' lacks shape");
  refused_safetensors(one(R"({"shape":[],"data_offsets":[0,0]})"), "tensor 'a' lacks dtype");
  refused_safetensors(one(entry("F33", "[]", "[0,4]")), "unknown or unsupported dtype 'F33'");
  refused_safetensors(one(entry("f32", "[]", "[0,4]")), "unknown or unsupported dtype 'f32'");
  refused_safetensors(one(R"({"dtype":1,"shape":[],"data_offsets":[0,0]})"),
                      "expected a dtype name");
  refused_safetensors(one(entry("F32", "2", "[0,4]")), "expected an array, got a number");
  refused_safetensors(one(entry("F32", "[-1]", "[0,4]")), "got a negative number");
  refused_safetensors(one(entry("F32", "[1.0]", "[0,4]")), "no unsigned 64-bit integer");
  refused_safetensors(one(entry("F32", "[1e1]", "[0,4]")), "no unsigned 64-bit integer");
  refused_safetensors(one(entry("F32", "[18446744073709551616]", "[0,4]")),
                      "no unsigned 64-bit integer");
  refused_safetensors(one(entry("F32", R"(["1"])", "[0,4]")), "got a string");
  refused_safetensors(one(entry("F32", "[[1]]", "[0,4]")), "got an array");
  refused_safetensors(one(entry("F32", "[true]", "[0,4]")), "got a boolean");
  refused_safetensors(one(entry("F32", "[]", "[0]")), "data_offsets holds 1 numbers, expected 2");
  refused_safetensors(one(entry("F32", "[]", "[0,4,4]")),
                      "data_offsets holds 3 numbers, expected 2");
  refused_safetensors(one(entry("F32", "[]", "[-4,0]")), "got a negative number");
  refused_safetensors(one(R"({"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]})"),
                      "duplicate key 'dtype'");
  refused_safetensors(one(R"({"dtype":"F32","shape":[],"data_offsets":[0,4],"more":1})"),
                      "unknown key 'more'");
  std::string ones = "[1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  refused_safetensors(one(entry("F32", ones + "]", "[0,4]")), "more than 64 dimensions");
}

TEST_CASE("duplicate keys and metadata that is not strings are errors") {
  const std::string scalar = entry("U8", "[]", "[0,1]");
  refused_safetensors(
      safetensors(R"({"a":)" + scalar + R"(,"a":)" + entry("U8", "[]", "[1,2]") + "}", "12"),
      "duplicate key 'a'");
  // The same key, once with an escape.
  refused_safetensors(safetensors(R"({"a":)" + scalar + R"(,"\u0061":)" + scalar + "}", "1"),
                      "duplicate key 'a'");
  refused_safetensors(safetensors(R"({"__metadata__":{},"__metadata__":{}})"),
                      "duplicate key '__metadata__'");
  refused_safetensors(safetensors(R"({"__metadata__":{"k":"1","k":"2"}})"), "duplicate key 'k'");
  refused_safetensors(safetensors(R"({"__metadata__":{"k":1}})"),
                      "__metadata__: expected a string");
  refused_safetensors(safetensors(R"({"__metadata__":{"k":{}}})"),
                      "__metadata__: expected a string");
  refused_safetensors(safetensors(R"({"__metadata__":{"k":null}})"),
                      "__metadata__: expected a string");
  refused_safetensors(safetensors(R"({"__metadata__":[]})"), "__metadata__: expected an object");
  CHECK(safetensors_verdict(safetensors(R"({"__metadata__":{}})")) == "accepted");
}

TEST_CASE("offsets leave no hole, do not overlap and end where the file ends") {
  const auto two = [](const std::string& a, const std::string& b, std::size_t size) {
    return safetensors(R"({"a":)" + a + R"(,"b":)" + b + "}", std::string(size, 'x'));
  };
  const auto u8 = [](const std::string& shape, const std::string& offsets) {
    return entry("U8", shape, offsets);
  };
  CHECK(safetensors_verdict(two(u8("[4]", "[0,4]"), u8("[4]", "[4,8]"), 8)) == "accepted");
  CHECK(safetensors_verdict(two(u8("[4]", "[4,8]"), u8("[4]", "[0,4]"), 8)) ==
        "accepted");  // any order
  refused_safetensors(two(u8("[4]", "[1,5]"), u8("[4]", "[5,9]"), 9),
                      "tensor 'a': data_offsets [1, 5]");
  refused_safetensors(two(u8("[4]", "[0,4]"), u8("[4]", "[5,9]"), 9), "expected to begin at 4");
  refused_safetensors(two(u8("[4]", "[0,4]"), u8("[4]", "[3,7]"), 7), "expected to begin at 4");
  refused_safetensors(two(u8("[4]", "[0,4]"), u8("[4]", "[0,4]"), 4), "expected to begin at 4");
  refused_safetensors(two(u8("[4]", "[0,4]"), u8("[4]", "[4,2]"), 8),
                      "tensor 'b': data_offsets [4, 2]");
  refused_safetensors(two(u8("[4]", "[0,4]"), u8("[4]", "[4,18446744073709551615]"), 8),
                      "tensor 'b'");
  refused_safetensors(two(u8("[4]", "[0,4]"), u8("[4]", "[4,8]"), 9),
                      "the file at");  // appended byte
  refused_safetensors(two(u8("[4]", "[0,4]"), u8("[4]", "[4,8]"), 6), "the file holds 6");
  refused_safetensors(two(u8("[4]", "[0,4]"), u8("[4]", "[4,8]"), 3), "the file holds 3");
  refused_safetensors(safetensors("{}", "x"), "tensors end at byte 10, the file at 11");
  std::string attack = "{";
  for (int i = 0; i < 10; ++i) {
    attack += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":" + entry("F32", "[2,2]", "[0,16]");
  }
  refused_safetensors(safetensors(attack + "}", std::string(16, 'x')), "expected to begin at 16");
}

TEST_CASE("shape times item size fits the offsets, every product checked") {
  const auto one = [](const std::string& value, std::size_t size) {
    return safetensors(R"({"t":)" + value + "}", std::string(size, 'x'));
  };
  refused_safetensors(one(entry("I32", "[2,2]", "[0,4]"), 4),
                      "needs 16 bytes, data_offsets give 4");
  refused_safetensors(one(entry("F64", "[2]", "[0,8]"), 8), "needs 16 bytes");
  refused_safetensors(one(entry("I32", "[2,18446744073709551614]", "[0,16]"), 16), "overflows");
  refused_safetensors(one(entry("I32", "[2,9223372036854775807]", "[0,16]"), 16), "overflows");
  refused_safetensors(one(entry("U8", "[4294967296,4294967296,4294967296]", "[0,16]"), 16),
                      "overflows");
  CHECK(safetensors_verdict(one(entry("F32", "[]", "[0,4]"), 4)) == "accepted");
  CHECK(safetensors_verdict(one(entry("F32", "[2,0]", "[0,0]"), 0)) == "accepted");
  // A tensor without elements begins where its neighbour does and is not an overlap.
  CHECK(safetensors_verdict(safetensors(R"({"z":)" + entry("U8", "[1]", "[0,1]") + R"(,"e":)" +
                                            entry("U8", "[0]", "[0,0]") + "}",
                                        "x")) == "accepted");
}

TEST_CASE("every truncation and every appended byte is refused") {
  const std::string bytes = safetensors(good_header, good_data);
  REQUIRE(safetensors_verdict(bytes) == "accepted");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(safetensors_verdict(bytes.substr(0, size)) != "accepted");
  }
  CHECK(safetensors_verdict(bytes + "x") != "accepted");
}

TEST_CASE("20,000 mutated files: a typed error or tensors that lie inside the file") {
  const std::string seed_file = safetensors(good_header, good_data);
  std::mt19937_64 random(2024);
  int accepted = 0, errors = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string bytes = test::mutated(seed_file, random);
    try {
      const TensorFile file = parse_safetensors(bytes, "file");
      ++accepted;
      for (const auto& [key, view] : file.tensors) {
        const auto begin = reinterpret_cast<const char*>(view.bytes.data());
        REQUIRE(view.bytes.size() == *detail::checked_elements(view.shape) * item_size(view.dtype));
        REQUIRE((view.bytes.empty() || (begin >= bytes.data() &&
                                        begin + view.bytes.size() <= bytes.data() + bytes.size())));
      }
    } catch (const WeightsError&) {
      ++errors;
    }
  }
  CHECK(accepted + errors == 20'000);
  CHECK(accepted > 100);  // data bytes may change
  CHECK(errors > 10'000);
}

TEST_CASE("write then read gives every dtype back, aligned, in the reference's order") {
  std::mt19937_64 random(5);
  TensorFile file;
  file.metadata = {{"format", "pt"}, {"quote\"\\\n", "\xc3\xa9\x01"}};
  for (std::size_t i = 0; i < detail::dtype_facts.size(); ++i) {
    const auto dtype = static_cast<DType>(i);
    CHECK(dtype_from_name(dtype_name(dtype)) == dtype);
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{}, {3, 5}, {2, 0, 3}, {1}}) {
      auto buffer = add_owned_tensor(
          file, std::string(dtype_name(dtype)) + shape_text(shape) + "\t\"", dtype, shape);
      for (auto& byte : buffer) byte = static_cast<std::byte>(random());
    }
  }
  const test::TemporaryFolder folder;
  const auto path = folder.path / "all.safetensors";
  write_safetensors(path, file);
  const TensorFile back = read_safetensors(path);
  CHECK(back.metadata == file.metadata);
  CHECK(back.name == path.string());
  REQUIRE(back.tensors.size() == file.tensors.size());
  std::vector<std::pair<const std::byte*, std::pair<int, std::string>>> order;
  for (const auto& [key, view] : file.tensors) {
    const TensorView& got = back.tensors.at(key);
    CHECK(got.dtype == view.dtype);
    CHECK(got.shape == view.shape);
    CHECK(std::equal(got.bytes.begin(), got.bytes.end(), view.bytes.begin(), view.bytes.end()));
    CHECK(reinterpret_cast<std::uintptr_t>(got.bytes.data()) % item_size(got.dtype) == 0);
    if (!got.bytes.empty()) {
      order.push_back({got.bytes.data(), {-static_cast<int>(got.dtype), key}});
    }
  }
  std::sort(order.begin(), order.end());
  CHECK(std::is_sorted(order.begin(), order.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; }));
  // Copies share the mapping: the views stay valid when the first file is gone.
  TensorFile copy = back;
  std::filesystem::remove(path);
  CHECK(copy.tensors.at("F32[3, 5]\t\"").bytes.size() == 60);
}

TEST_CASE("a writer that fails leaves the target as it was") {
  const test::TemporaryFolder folder;
  const auto path = folder.path / "kept.safetensors";
  test::write_file(path, "old");
  TensorFile file;
  add_owned_tensor(file, "a", DType::f32, {2});
  file.tensors["a"].shape = {3};
  CHECK_THROWS_AS(write_safetensors(path, file), WeightsError);
  file.tensors.clear();
  add_owned_tensor(file, "__metadata__", DType::f32, {2});
  CHECK_THROWS_AS(write_safetensors(path, file), WeightsError);
  file.tensors.clear();
  add_owned_tensor(file, "\xff", DType::f32, {2});
  CHECK_THROWS_AS(write_safetensors(path, file), WeightsError);
  file.tensors.clear();
  file.metadata["k"] = "\xff";
  CHECK_THROWS_AS(write_safetensors(path, file), WeightsError);
  CHECK(test::read_file(path) == "old");
  CHECK_THROWS_AS(write_safetensors(folder.path / "absent" / "x.safetensors", TensorFile{}),
                  FileError);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("a file may be rewritten over itself") {
  const test::TemporaryFolder folder;
  const auto path = folder.path / "same.safetensors";
  test::write_file(path, safetensors(good_header, good_data));
  const TensorFile file = read_safetensors(path);
  write_safetensors(path, file);
  const TensorFile again = read_safetensors(path);
  for (const auto& [key, view] : file.tensors) {
    const auto& got = again.tensors.at(key).bytes;
    CHECK(std::equal(got.begin(), got.end(), view.bytes.begin(), view.bytes.end()));
  }
}

TEST_CASE("paths that are no file are a FileError, and failures leave nothing open") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_AS(read_safetensors(folder.path / "absent"), FileError);
  CHECK_THROWS_AS(read_safetensors(folder.path), FileError);
  CHECK_THROWS_AS(read_weights(folder.path / "absent.pth"), FileError);
  test::write_file(folder.path / "empty.safetensors", "");
  CHECK_THROWS_AS(read_safetensors(folder.path / "empty.safetensors"), WeightsError);
  test::write_file(folder.path / "bad.safetensors", safetensors("{", "x"));
  test::write_file(folder.path / "bad.pth", "PK\x03\x04 no archive");
  const auto descriptors = open_descriptors();
  const auto maps = mappings();
  for (int i = 0; i < 1000; ++i) {
    for (const char* name : {"bad.safetensors", "bad.pth", "empty.safetensors"}) {
      try {
        read_weights(folder.path / name);
        FAIL("accepted");
      } catch (const WeightsError&) {
      }
    }
  }
  CHECK(open_descriptors() == descriptors);
  CHECK(mappings() < maps + 500);  // the heap may have grown; 2,000 files were mapped
}

TEST_CASE("read_weights goes by the content, then by the extension") {
  const test::TemporaryFolder folder;
  const auto write = [&folder](const char* name, const std::string& bytes) {
    test::write_file(folder.path / name, bytes);
    return folder.path / name;
  };
  const std::string good = safetensors(good_header, good_data);
  const std::string archive = test::torch_archive(test::Pickle{}.raw("}").stop());
  CHECK(read_weights(write("a.safetensors", good)).tensors.size() == 2);
  CHECK(read_weights(write("b.bin", good)).tensors.size() == 2);
  CHECK(read_weights(write("c.pth", archive)).tensors.empty());
  CHECK(read_weights(write("d.safetensors", archive)).tensors.empty());
  CHECK_THROWS_WITH_AS(read_weights(write("e.txt", "hello")),
                       doctest::Contains("neither a .safetensors nor a torch.save file"),
                       WeightsError);
  CHECK_THROWS_WITH_AS(read_weights(write("f.pth", "hello")), doctest::Contains("torch.save"),
                       WeightsError);
  CHECK_THROWS_WITH_AS(read_weights(write("g.safetensors", "hello")), doctest::Contains("too few"),
                       WeightsError);
  CHECK_THROWS_WITH_AS(
      read_weights(write("h.safetensors", "version https://git-lfs.github.com/spec/v1\n")),
      doctest::Contains("Git LFS"), WeightsError);
  CHECK_THROWS_WITH_AS(read_weights(write("i.pt2", archive)), doctest::Contains("native code"),
                       WeightsError);
}

TEST_CASE("pages of a mapped tensor are let go, and no others") {
  const test::TemporaryFolder folder;
  TensorFile file;
  const auto values = add_owned_tensor(file, "a", DType::u8, {1 << 20});
  std::fill(values.begin(), values.end(), std::byte{7});
  write_safetensors(folder.path / "a.safetensors", file);
  // What was written to a private mapping is gone with its pages; what the file holds returns.
  const auto second = [](const TensorFile& written) {
    const TensorView& view = written.tensors.at("a");
    auto* byte = const_cast<std::byte*>(view.bytes.data()) + (1 << 19);
    *byte = std::byte{9};
    detail::release_pages(view);
    return *byte;
  };
  const TensorFile mapped = read_weights(folder.path / "a.safetensors");
  CHECK(mapped.tensors.at("a").mapped);
  CHECK((second(mapped) == std::byte{7}));
  CHECK_FALSE(file.tensors.at("a").mapped);
  CHECK((second(file) == std::byte{9}));
}
