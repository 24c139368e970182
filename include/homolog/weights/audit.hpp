// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The strict comparison of a file's tensors with what a backbone needs: every missing, unexpected
/// and unfitting tensor is an error, and so is a value that is NaN or infinite.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

/// Any length but 0 is right along an axis of this size in ExpectedTensor::shape.
inline constexpr std::int64_t any_size = -1;

/// A tensor that a backbone takes from its file, in float32, float16, bfloat16 or float64.
struct ExpectedTensor {
  std::string key;                  ///< original name, without prefixes
  std::vector<std::int64_t> shape;  ///< `any_size` where a size is free
  bool optional = false;            ///< may be absent; when present its shape counts
};

namespace detail {

/// One kind of finding: the first ten by name, and how many there are.
struct AuditFindings {
  std::string_view kind;
  std::size_t count = 0;
  std::string list = {};

  void add(const std::string& entry) {
    if (++count <= 10) list += (count == 1 ? "" : ", ") + entry;
  }
  std::string summary() const {
    if (count == 0) return {};
    return text("; ", count, ' ', kind, ": ", list, count > 10 ? ", ..." : "");
  }
};

}  // namespace detail

/// Compares a file with a list of expected tensors.
///
/// @param ignored keys that begin with one of these are allowed although they are not expected
/// @throws WeightsError that counts all missing, unexpected and unfitting tensors and names the
///         first ten of each, with the shape expected and the one got
void audit(const TensorFile& file, std::span<const ExpectedTensor> expected,
           std::span<const std::string_view> ignored = {});

/// Looks for NaN and infinity in every float32, float16, bfloat16, float64 and complex tensor.
///
/// @throws WeightsError that names the first tensor (by key) with such a value
void require_finite(const TensorFile& file);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/weights/detail/audit_inl.hpp"
#endif
