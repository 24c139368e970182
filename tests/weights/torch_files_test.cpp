// SPDX-License-Identifier: Apache-2.0
// Files written by torch.save and by the safetensors package: tests/weights/make_reference_files.py
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "homolog/weights/read_weights.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using test::skip;

namespace {

/// Folder of the script's files, empty when there is none.
std::filesystem::path reference_files() {
  const char* folder = std::getenv("HOMOLOG_TORCH_FILES");
  return folder == nullptr ? "" : folder;
}

const char* const no_files = "no files by torch here (HOMOLOG_TORCH_FILES)";

/// A tensor's elements as doubles.
std::vector<double> values(const TensorView& view) {
  const auto as = [&view]<class Number>(Number) {
    std::vector<double> result;
    for (std::size_t at = 0; at < view.bytes.size(); at += sizeof(Number)) {
      Number number;
      std::memcpy(&number, view.bytes.data() + at, sizeof(Number));
      result.push_back(static_cast<double>(number));
    }
    return result;
  };
  switch (view.dtype) {
    case DType::f32:
      return as(float{});
    case DType::f64:
      return as(double{});
    case DType::i64:
      return as(std::int64_t{});
    case DType::u64:
      return as(std::uint64_t{});
    case DType::i32:
      return as(std::int32_t{});
    case DType::u32:
      return as(std::uint32_t{});
    case DType::i16:
      return as(std::int16_t{});
    case DType::u16:
      return as(std::uint16_t{});
    case DType::i8:
      return as(std::int8_t{});
    case DType::u8:
    case DType::bool_:
      return as(std::uint8_t{});
    case DType::bf16: {
      std::vector<double> result;
      for (std::size_t at = 0; at < view.bytes.size(); at += 2) {
        std::uint32_t bits = 0;
        std::memcpy(reinterpret_cast<char*>(&bits) + 2, view.bytes.data() + at, 2);
        float number;
        std::memcpy(&number, &bits, 4);
        result.push_back(double{number});
      }
      return result;
    }
    case DType::f16: {
      std::vector<double> result;
      for (std::size_t at = 0; at < view.bytes.size(); at += 2) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, view.bytes.data() + at, 2);
        const int exponent = bits >> 10 & 31, mantissa = bits & 1023;  // small whole numbers only
        result.push_back(exponent == 0 ? 0 : std::ldexp(1024 + mantissa, exponent - 25));
      }
      return result;
    }
    default:
      return {};
  }
}

/// The script's formula at row-major indices.
std::vector<double> formula(const std::vector<int>& indices) {
  std::vector<double> result;
  for (const int index : indices) result.push_back(index % 251);
  return result;
}

std::vector<double> first(int count, int start = 0) {
  std::vector<int> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), start);
  return formula(indices);
}

using Shape = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("torch.save: every dtype, protocols 2 and 4") {
  const auto folder = reference_files();
  if (folder.empty()) return skip(no_files);
  for (const char* name : {"dtypes.pth", "dtypes_protocol4.pth"}) {
    const TensorFile file = read_weights(folder / name);
    REQUIRE(file.tensors.size() == 12);
    for (const char* dtype : {"f32", "f16", "bf16", "f64", "i64", "i32", "i16", "u8"}) {
      const TensorView& view = file.tensors.at(dtype);
      std::string lower(dtype_name(view.dtype));
      for (char& c : lower) c = static_cast<char>(c | 0x20);
      CHECK(lower == dtype);
      CHECK(view.shape == Shape{3, 5});
      CHECK(values(view) == first(15));
    }
    CHECK(values(file.tensors.at("i8")) == std::vector<double>{-5, -4, -3, -2, -1, 0, 1, 2, 3, 4});
    CHECK(values(file.tensors.at("bool")) == std::vector<double>{1, 0, 1});
    CHECK(file.tensors.at("scalar").shape == Shape{});
    CHECK(values(file.tensors.at("scalar")) == std::vector<double>{7});
    CHECK(file.tensors.at("empty").shape == Shape{2, 0, 3});
  }
}

TEST_CASE("torch.save: shared and non-contiguous views") {
  const auto folder = reference_files();
  if (folder.empty()) return skip(no_files);
  const TensorFile file = read_weights(folder / "views.pth");
  const auto check = [&file](const char* key, const Shape& shape, const std::vector<int>& indices) {
    INFO(key);
    CHECK(file.tensors.at(key).shape == shape);
    CHECK(values(file.tensors.at(key)) == formula(indices));
  };
  std::vector<int> base(48), transposed, columns, permuted;
  std::iota(base.begin(), base.end(), 0);
  for (int c = 0; c < 8; ++c) {
    for (int r = 0; r < 6; ++r) transposed.push_back(8 * r + c);
  }
  for (int r = 0; r < 6; ++r) {
    for (int c = 2; c < 5; ++c) columns.push_back(8 * r + c);
  }
  for (int k = 0; k < 4; ++k) {
    for (int i = 0; i < 6; ++i) permuted.push_back(4 * i + k);
  }
  check("base", {6, 8}, base);
  check("transposed", {8, 6}, transposed);
  check("rows", {3, 8}, {base.begin() + 8, base.begin() + 32});
  check("columns", {6, 3}, columns);
  check("steps", {3, 3}, {0, 3, 6, 16, 19, 22, 32, 35, 38});
  check("permuted", {4, 2, 3}, permuted);
  check("expanded", {3, 4}, {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2});
  check("element", {}, {47});
  // Shared storages stay shared where no copy was needed.
  CHECK(file.tensors.at("rows").bytes.data() == file.tensors.at("base").bytes.data() + 32);
}

TEST_CASE("torch.save: modules, Parameters, wrappers, many tensors") {
  const auto folder = reference_files();
  if (folder.empty()) return skip(no_files);
  const TensorFile module = read_weights(folder / "module.pth");
  CHECK(module.tensors.size() == 7);
  CHECK(values(module.tensors.at("0.weight")) == first(48));
  CHECK(module.tensors.at("1.num_batches_tracked").dtype == DType::i64);
  const TensorFile parameters = read_weights(folder / "parameters.pth");
  CHECK(values(parameters.tensors.at("weight")) == first(6));
  CHECK(values(parameters.tensors.at("frozen")) == first(4));
  const TensorFile wrapped = read_weights(folder / "wrapped_model.pth");
  CHECK(values(wrapped.tensors.at("weight")) == first(6));
  CHECK(wrapped.metadata.at("homolog.beside_wrapper") ==
        "epoch, rate, notes, size, device, dtype, big");
  const TensorFile teacher = read_weights(folder / "wrapped_teacher.pth");
  CHECK(values(teacher.tensors.at("weight")) == first(6));
  CHECK(teacher.metadata.at("homolog.wrapper") == "teacher.state_dict");
  const TensorFile many = read_weights(folder / "many.pth");
  REQUIRE(many.tensors.size() == 1500);
  for (int i = 0; i < 1500; ++i) {
    CHECK(values(many.tensors.at("key." + std::to_string(i))) == first(2, i));
  }
}

TEST_CASE("torch.save: what is refused, and in which words") {
  const auto folder = reference_files();
  if (folder.empty()) return skip(no_files);
  const auto refused = [&folder](const char* name, const char* reason) {
    CHECK_THROWS_WITH_AS(read_weights(folder / name), doctest::Contains(reason), WeightsError);
    CHECK_THROWS_WITH_AS(read_weights(folder / name), doctest::Contains(name), WeightsError);
  };
  refused("legacy.pth", "convert it once in Python");
  refused("foreign.pth", "refused global \"posix.system\"");
  refused("whole_module.pth", "refused global \"torch.nn.modules.linear.Linear\"");
  refused("conjugate.pth", "conjugate or negative bit");
  refused("wrapped_twice.pth", "two state dicts, 'teacher' and 'model'");
  refused("not_a_dict.pth", "holds a tensor, expected a state dict");
  refused("nested.pth", "'more' is a dict, expected a tensor");
}

TEST_CASE("the safetensors package: its file is read, and rewritten byte for byte") {
  const auto folder = reference_files();
  if (folder.empty()) return skip(no_files);
  const auto path = folder / "dtypes.safetensors";
  if (!std::filesystem::exists(path)) return skip("no file by the safetensors package here");
  const TensorFile file = read_weights(path);
  REQUIRE(file.tensors.size() == 19);
  for (const char* name : {"uint8", "int16", "uint16", "float16", "bfloat16", "int32", "uint32",
                           "float32", "float64", "int64", "uint64"}) {
    INFO(name);
    CHECK(values(file.tensors.at(name)) == first(15));
  }
  CHECK(values(file.tensors.at("odd \"name\"\n\xc3\xa9")) == first(3));
  // Left in that folder: the script, run again, has the reference package read it.
  const auto copy = folder / "written_by_homolog.safetensors";
  write_safetensors(copy, file);
  const std::string written = test::read_file(copy);
  const bool same_bytes = written == test::read_file(path);
  CHECK(same_bytes);
}
