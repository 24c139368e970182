// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of weights/float_values.hpp.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/weights/float_values.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1::detail {

HOMOLOG_INLINE std::vector<float> float_values(const TensorFile& file, const std::string& key) {
  const TensorView& view = file.tensors.at(key);
  std::vector<float> values(element_count(view));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::byte* at = view.bytes.data() + i * item_size(view.dtype);
    std::uint16_t half = 0;
    std::uint32_t bits = 0;
    double wide = 0;
    switch (view.dtype) {
      case DType::f32:
        std::memcpy(&values[i], at, 4);
        break;
      case DType::f64:
        std::memcpy(&wide, at, 8);
        values[i] = static_cast<float>(wide);
        break;
      case DType::bf16:
        std::memcpy(&half, at, 2);
        bits = static_cast<std::uint32_t>(half) << 16;
        std::memcpy(&values[i], &bits, 4);
        break;
      case DType::f16: {
        std::memcpy(&half, at, 2);
        const int exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
        const float magnitude =
            exponent == 0x1F ? (fraction == 0 ? INFINITY : NAN)
            : exponent == 0  ? std::ldexp(static_cast<float>(fraction), -24)
                             : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
        values[i] = half >> 15 != 0 ? -magnitude : magnitude;
        break;
      }
      default:
        throw WeightsError(text(file.name, ": tensor '", key, "' has dtype ",
                                dtype_name(view.dtype), ", expected a floating one"));
    }
  }
  return values;
}

}  // namespace homolog::inline v0_1::detail
