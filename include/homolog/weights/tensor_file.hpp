// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Named tensors as a weights file holds them: dtype, shape and a view of the bytes. All functions
/// in weights/ pass such files on; only `owners` keeps their memory alive, so that copies are
/// cheap.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

/// Element types of stored tensors, in the order in which the safetensors reference sorts them
/// (its writer puts the last one first).
enum class DType : std::uint8_t {
  bool_,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  c64,  ///< two float32: real, imaginary
  f64,
  i64,
  u64
};

namespace detail {

struct DTypeFacts {
  std::string_view name;
  std::size_t item_size;
};

/// Indexed by DType.
inline constexpr std::array<DTypeFacts, 19> dtype_facts{{{"BOOL", 1},
                                                         {"U8", 1},
                                                         {"I8", 1},
                                                         {"F8_E5M2", 1},
                                                         {"F8_E4M3", 1},
                                                         {"F8_E8M0", 1},
                                                         {"F8_E4M3FNUZ", 1},
                                                         {"F8_E5M2FNUZ", 1},
                                                         {"I16", 2},
                                                         {"U16", 2},
                                                         {"F16", 2},
                                                         {"BF16", 2},
                                                         {"I32", 4},
                                                         {"U32", 4},
                                                         {"F32", 4},
                                                         {"C64", 8},
                                                         {"F64", 8},
                                                         {"I64", 8},
                                                         {"U64", 8}}};

/// Product of two sizes, or nothing when it does not fit.
inline std::optional<std::uint64_t> checked_product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// Number of elements of a shape, or nothing when a size is negative or the product does not fit.
inline std::optional<std::uint64_t> checked_elements(std::span<const std::int64_t> shape) {
  std::uint64_t product = 1;
  for (const std::int64_t size : shape) {
    if (size < 0) return std::nullopt;
    const auto next = checked_product(product, static_cast<std::uint64_t>(size));
    if (!next) return std::nullopt;
    product = *next;
  }
  return product;
}

}  // namespace detail

/// Size of one element [bytes].
constexpr std::size_t item_size(DType dtype) {
  return detail::dtype_facts[static_cast<std::size_t>(dtype)].item_size;
}

/// The dtype's name in safetensors headers, such as `BF16`.
constexpr std::string_view dtype_name(DType dtype) {
  return detail::dtype_facts[static_cast<std::size_t>(dtype)].name;
}

/// The dtype of a safetensors name; nothing when the name is unknown.
constexpr std::optional<DType> dtype_from_name(std::string_view name) {
  for (std::size_t i = 0; i < detail::dtype_facts.size(); ++i) {
    if (detail::dtype_facts[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

/// One stored tensor: contiguous, row-major, little-endian, at any alignment.
struct TensorView {
  DType dtype = DType::f32;          ///< of the elements
  std::vector<std::int64_t> shape;   ///< [] is a scalar
  std::span<const std::byte> bytes;  ///< elements * item_size(dtype)
  bool mapped = false;               ///< the bytes lie in a mapping of a file
};

/// Number of elements of a tensor; 1 for a scalar.
inline std::uint64_t element_count(const TensorView& tensor) {
  return tensor.bytes.size() / item_size(tensor.dtype);
}

/// The tensors of one weights file. A copy shares the bytes.
struct TensorFile {
  std::map<std::string, TensorView> tensors;        ///< by key
  std::map<std::string, std::string> metadata;      ///< safetensors' `__metadata__`
  std::vector<std::shared_ptr<const void>> owners;  ///< mappings and buffers the views lie in
  std::string name;                                 ///< path, for messages
};

/// Adds a tensor whose bytes are a new buffer of zeros, and returns that buffer for filling.
///
/// @throws WeightsError when the size overflows
inline std::span<std::byte> add_owned_tensor(TensorFile& file, const std::string& key, DType dtype,
                                             std::vector<std::int64_t> shape) {
  const auto elements = detail::checked_elements(shape);
  const auto size = elements ? detail::checked_product(*elements, item_size(dtype)) : std::nullopt;
  if (!size) {
    throw WeightsError(detail::text(file.name, ": tensor '", key, "': the size of shape ",
                                    shape_text(shape), " overflows"));
  }
  const auto buffer = std::make_shared<std::vector<std::byte>>(*size);
  file.owners.push_back(buffer);
  file.tensors[key] = {dtype, std::move(shape), {buffer->data(), buffer->size()}};
  return {buffer->data(), buffer->size()};
}

}  // namespace homolog::inline v0_1
