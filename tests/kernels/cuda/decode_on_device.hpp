// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace homolog::test {

/// What a device made of similarities [count, rows*cols].
struct DeviceResult {
  std::vector<float> answers;       ///< x, y, score, second of each row
  std::vector<float> column_value;  ///< [rows*cols]
  std::vector<int> column_query;    ///< [rows*cols]
};

/// @param decoder 0 argmax, 1 window, 2 soft, 3 kernel soft @param content x1, y1, x2, y2
/// @param tile_rows rows a tile; the matrix product is a copy
DeviceResult decode_on_device(const std::vector<float>& similarity, int rows, int cols,
                              const int (&content)[4], int decoder, float temperature, int radius,
                              float sigma, int tile_rows);

/// Why there is no CUDA device, empty where there is one.
const char* no_device();

}  // namespace homolog::test
