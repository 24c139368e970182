// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The rules by which position tables are resized, without LibTorch; position_embedding.hpp follows
/// them.

#include <array>
#include <string_view>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

/// How a position table is resized; all three are bicubic with half-pixel centres.
enum class PositionInterpolation {
  hub,            ///< DINOv2 hub, plain: scale (n + 0.1) / n0 drives the sampling, no antialias
  hub_registers,  ///< DINOv2 hub with registers, and timm: exact size, antialiased
  huggingface     ///< Hugging Face, plain: exact size, no antialias
};
/// Their names, see value_name().
constexpr std::array<std::string_view, 3> value_names(PositionInterpolation) {
  return {"hub", "hub-registers", "huggingface"};
}

}  // namespace homolog::inline v0_1
