// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The values of a file's tensors as float32, whatever floating dtype they are stored in.

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1::detail {

/// Float32 values of a tensor.
///
/// @throws WeightsError when its dtype is not F32, F16, BF16 or F64
std::vector<float> float_values(const TensorFile& file, const std::string& key);

/// Adds a float32 tensor.
inline void add_floats(TensorFile& file, const std::string& key, std::span<const float> values,
                       std::vector<std::int64_t> shape) {
  const auto bytes = add_owned_tensor(file, key, DType::f32, std::move(shape));
  std::memcpy(bytes.data(), values.data(), bytes.size());
}

}  // namespace homolog::inline v0_1::detail

#ifndef HOMOLOG_COMPILED
#include "homolog/weights/detail/float_values_inl.hpp"
#endif
