// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How the device decodes similarities, and the checks before a kernel launch. This is plain C++,
/// so that the checks can be tested without a device.

#include <cmath>
#include <cstddef>
#include <string>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1::cuda {

/// How a row of similarities is decoded; the definitions are those of Argmax, WindowSoftArgmax
/// (outside excluded), SoftArgmax and KernelSoftArgmax.
enum class Decoder { argmax, window_soft_argmax, soft_argmax, kernel_soft_argmax };

/// A decoder and the numbers that it reads.
struct DecoderSetting {
  Decoder decoder = Decoder::argmax;  ///< what each row becomes
  float temperature = 10;             ///< multiplies the cosine; soft decoders
  int window_radius = 2;              ///< [cells] window_soft_argmax
  float sigma = 7;                    ///< [cells] kernel_soft_argmax
};

/// The target's grid; cells outside [x1, x2) x [y1, y2) are padding and never count.
struct Grid {
  int rows = 0;  ///< [cells] height
  int cols = 0;  ///< [cells] width
  int x1 = 0;    ///< first column that shows the picture
  int y1 = 0;    ///< first row that shows it
  int x2 = 0;    ///< behind the last such column
  int y2 = 0;    ///< behind the last such row
};

namespace detail {

/// Refuses what the host's matchers refuse, and what a launch cannot hold.
///
/// @param count rows of similarities in one launch
/// @throws ShapeError for a grid without cells, content outside of it, or more cells or rows than a
/// launch has threads; SettingError for an unknown decoder, a negative radius, or a temperature or
/// sigma that is not positive and finite
inline void require_decodable(const Grid& grid, const DecoderSetting& setting, std::size_t count) {
  constexpr int most = 0x7fffffff - 1024;  // the last block may reach past the last cell
  if (grid.rows < 1 || grid.cols < 1 || grid.x1 < 0 || grid.y1 < 0 || grid.x1 >= grid.x2 ||
      grid.y1 >= grid.y2 || grid.x2 > grid.cols || grid.y2 > grid.rows ||
      grid.rows > most / grid.cols) {
    throw ShapeError("cuda::decode: cells [" + std::to_string(grid.x1) + ", " +
                     std::to_string(grid.x2) + ") x [" + std::to_string(grid.y1) + ", " +
                     std::to_string(grid.y2) + ") of a grid of " + std::to_string(grid.rows) +
                     " rows and " + std::to_string(grid.cols) + " columns");
  }
  if (count > static_cast<std::size_t>(most)) {
    throw ShapeError("cuda::decode: " + std::to_string(count) +
                     " rows of similarities, expected at most " + std::to_string(most));
  }
  const auto refuse = [](const std::string& name, const std::string& value, const char* expected) {
    throw SettingError("cuda::decode: " + name + " is " + value + ", expected " + expected);
  };
  const auto require_positive = [&](float value, const char* name) {
    if (!(value > 0) || !std::isfinite(value)) {
      refuse(name, std::to_string(value), "a positive finite number");
    }
  };
  switch (setting.decoder) {
    case Decoder::argmax:
      return;
    case Decoder::window_soft_argmax:
      if (setting.window_radius < 0) {
        refuse("window_radius", std::to_string(setting.window_radius), "at least 0");
      }
      return require_positive(setting.temperature, "temperature");
    case Decoder::kernel_soft_argmax:
      require_positive(setting.sigma, "sigma");
      return require_positive(setting.temperature, "temperature");
    case Decoder::soft_argmax:
      return require_positive(setting.temperature, "temperature");
  }
  refuse("decoder", std::to_string(static_cast<int>(setting.decoder)), "one of Decoder");
}

}  // namespace detail
}  // namespace homolog::inline v0_1::cuda
