// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Tensors of a weights file as LibTorch tensors, and back.

#include <torch/types.h>

#include <string>
#include <utility>

#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

inline constexpr std::pair<DType, at::ScalarType> torch_dtypes[] = {
    {DType::bool_, at::kBool}, {DType::u8, at::kByte},   {DType::i8, at::kChar},
    {DType::i16, at::kShort},  {DType::f16, at::kHalf},  {DType::bf16, at::kBFloat16},
    {DType::i32, at::kInt},    {DType::f32, at::kFloat}, {DType::f64, at::kDouble},
    {DType::i64, at::kLong}};

}  // namespace detail

/// A LibTorch view of one tensor of a file, on the CPU, without a copy where the data is aligned;
/// the file's memory stays alive as long as the tensor.
///
/// @throws WeightsError when the file has no such key, or its dtype has no LibTorch counterpart
torch::Tensor to_torch(const TensorFile& file, const std::string& key);

/// Adds a tensor to a file in memory; a tensor that is not contiguous or not on the CPU is copied
/// first.
///
/// @throws WeightsError when the dtype has no counterpart in weights files
/// @note synchronises the device of a CUDA tensor
void add_tensor(TensorFile& file, const std::string& key, const torch::Tensor& tensor);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/weights/detail/torch_tensors_inl.hpp"
#endif
