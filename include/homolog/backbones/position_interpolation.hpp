// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The rules by which position tables are resized, without LibTorch; position_embedding.hpp follows
/// them.

#include <string_view>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

/// How a position table is resized; all three are bicubic with half-pixel centres.
enum class PositionInterpolation {
  hub,            ///< DINOv2 hub, plain: scale (n + 0.1) / n0 drives the sampling, no antialias
  hub_registers,  ///< DINOv2 hub with registers, and timm: exact size, antialiased
  huggingface     ///< Hugging Face, plain: exact size, no antialias
};

/// The command-line name: `hub`, `hub-registers` or `huggingface`.
inline std::string_view position_interpolation_name(PositionInterpolation rule) {
  switch (rule) {
    case PositionInterpolation::hub:
      return "hub";
    case PositionInterpolation::hub_registers:
      return "hub-registers";
    case PositionInterpolation::huggingface:
      return "huggingface";
  }
  throw SettingError("position interpolation: unknown rule");
}

}  // namespace homolog::inline v0_1
