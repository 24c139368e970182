// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of weights/audit.hpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

inline bool shape_fits(const std::vector<std::int64_t>& got,
                       const std::vector<std::int64_t>& expected) {
  return std::equal(got.begin(), got.end(), expected.begin(), expected.end(),
                    [](std::int64_t a, std::int64_t b) { return b == any_size ? a > 0 : a == b; });
}

/// Whether no number is NaN or infinite, that is, has all of its exponent bits set.
template <class Bits>
bool all_finite(std::span<const std::byte> bytes, Bits exponent) {
  // In slices, so that a bad value ends the scan early while each slice is vectorised.
  constexpr std::size_t slice = std::size_t{1} << 16;
  for (std::size_t start = 0; start < bytes.size(); start += slice) {
    const auto part = bytes.subspan(start, (std::min)(slice, bytes.size() - start));
    bool bad = false;
    for (std::size_t i = 0; i + sizeof(Bits) <= part.size(); i += sizeof(Bits)) {
      Bits value;
      std::memcpy(&value, part.data() + i, sizeof(Bits));
      bad |= static_cast<Bits>(value & exponent) == exponent;
    }
    if (bad) return false;
  }
  return true;
}

}  // namespace detail

HOMOLOG_INLINE void audit(const TensorFile& file, std::span<const ExpectedTensor> expected,
                          std::span<const std::string_view> ignored) {
  detail::AuditFindings missing{"missing"}, unexpected{"unexpected"}, unfitting{"unfitting"};
  std::map<std::string_view, const ExpectedTensor*> known;
  for (const auto& tensor : expected) {
    known.emplace(tensor.key, &tensor);
    if (!tensor.optional && !file.tensors.contains(tensor.key)) {
      missing.add(tensor.key + " " + shape_text(tensor.shape));
    }
  }
  for (const auto& [key, view] : file.tensors) {
    const auto found = known.find(key);
    if (found == known.end()) {
      const bool pass =
          std::any_of(ignored.begin(), ignored.end(),
                      [&name = key](std::string_view p) { return name.starts_with(p); });
      if (!pass) unexpected.add(key + " " + shape_text(view.shape));
      continue;
    }
    const bool floating = view.dtype == DType::f32 || view.dtype == DType::f16 ||
                          view.dtype == DType::bf16 || view.dtype == DType::f64;
    if (!detail::shape_fits(view.shape, found->second->shape)) {
      unfitting.add(detail::text(key, " expected ", shape_text(found->second->shape), " got ",
                                 shape_text(view.shape)));
    } else if (!floating) {
      unfitting.add(detail::text(key, " expected a floating dtype got ", dtype_name(view.dtype)));
    }
  }
  if (missing.count + unexpected.count + unfitting.count > 0) {
    throw WeightsError(detail::text(file.name, ": the tensors do not fit the backbone",
                                    missing.summary(), unexpected.summary(), unfitting.summary()));
  }
}

HOMOLOG_INLINE void require_finite(const TensorFile& file) {
  for (const auto& [key, view] : file.tensors) {
    bool finite = true;
    switch (view.dtype) {
      case DType::f32:
      case DType::c64:
        finite = detail::all_finite<std::uint32_t>(view.bytes, 0x7F800000);
        break;
      case DType::f16:
        finite = detail::all_finite<std::uint16_t>(view.bytes, 0x7C00);
        break;
      case DType::bf16:
        finite = detail::all_finite<std::uint16_t>(view.bytes, 0x7F80);
        break;
      case DType::f64:
        finite = detail::all_finite<std::uint64_t>(view.bytes, 0x7FF0000000000000);
        break;
      default:
        break;
    }
    if (!finite) {
      throw WeightsError(detail::text(file.name, ": tensor '", key, "' of shape ",
                                      shape_text(view.shape), " holds NaN or infinite values"));
    }
  }
}

}  // namespace homolog::inline v0_1
