// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Autocast scopes: on for the blocks that are tuned, off for similarities and losses.

#include <ATen/autocast_mode.h>
#include <torch/types.h>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1::detail {

/// Sets LibTorch's autocast of one device type until the end of its scope.
struct AutocastScope {
  AutocastScope(at::DeviceType device_, bool enabled, at::ScalarType dtype)
      : device(device_),
        enabled_before(at::autocast::is_autocast_enabled(device_)),
        dtype_before(at::autocast::get_autocast_dtype(device_)) {
    at::autocast::set_autocast_enabled(device, enabled);
    at::autocast::set_autocast_dtype(device, dtype);
  }
  ~AutocastScope() {
    // Weights cast for this scope would be stale after the next step.
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device, enabled_before);
    at::autocast::set_autocast_dtype(device, dtype_before);
  }
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

  at::DeviceType device;
  bool enabled_before;
  at::ScalarType dtype_before;
};

/// No autocast on the tensor's device within the scope.
struct FullPrecisionScope : AutocastScope {
  explicit FullPrecisionScope(const torch::Tensor& tensor)
      : AutocastScope(tensor.device().type(), false,
                      at::autocast::get_autocast_dtype(tensor.device().type())) {}
};

/// The tensor in float32; float64 stays, for checks of gradients.
inline torch::Tensor full_precision(const torch::Tensor& tensor) {
  return tensor.scalar_type() == torch::kFloat64 ? tensor : tensor.to(torch::kFloat32);
}

}  // namespace homolog::inline v0_1::detail
