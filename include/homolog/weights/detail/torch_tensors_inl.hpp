// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of weights/torch_tensors.hpp.

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/weights/tensor_file.hpp"
#include "homolog/weights/torch_tensors.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE torch::Tensor to_torch(const TensorFile& file, const std::string& key) {
  const auto found = file.tensors.find(key);
  if (found == file.tensors.end()) {
    throw WeightsError(detail::text(file.name, ": no tensor '", key, "'"));
  }
  const TensorView& view = found->second;
  for (const auto& [dtype, scalar_type] : detail::torch_dtypes) {
    if (dtype != view.dtype) continue;
    auto* data = const_cast<std::byte*>(view.bytes.data());
    const auto options = torch::TensorOptions().dtype(scalar_type);
    if (view.bytes.empty()) return torch::empty(view.shape, options);
    if (reinterpret_cast<std::uintptr_t>(data) % item_size(dtype) != 0) {
      torch::Tensor copy = torch::empty(view.shape, options);
      std::memcpy(copy.data_ptr(), data, view.bytes.size());
      return copy;
    }
    return torch::from_blob(
        data, view.shape, [owners = file.owners](void*) {}, options);
  }
  throw WeightsError(detail::text(file.name, ": tensor '", key, "' has dtype ",
                                  dtype_name(view.dtype), ", which no backbone reads"));
}

HOMOLOG_INLINE void add_tensor(TensorFile& file, const std::string& key,
                               const torch::Tensor& tensor) {
  const auto held = std::make_shared<torch::Tensor>(tensor.detach().cpu().contiguous());
  for (const auto& [dtype, scalar_type] : detail::torch_dtypes) {
    if (scalar_type != held->scalar_type()) continue;
    file.tensors[key] = {dtype,
                         held->sizes().vec(),
                         {static_cast<const std::byte*>(held->const_data_ptr()), held->nbytes()}};
    file.owners.push_back(held);
    return;
  }
  throw WeightsError(detail::text("tensor '", key, "': dtype ", c10::toString(tensor.scalar_type()),
                                  " cannot be stored"));
}

}  // namespace homolog::inline v0_1
