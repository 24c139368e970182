// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace homolog::test {

/// x, y, score of each row of similarities [count, rows*cols], decoded on the device.
///
/// @param decoder 0 argmax, 1 window, 2 soft @param content x1, y1, x2, y2
/// @param tile_rows rows a tile; the matrix product is a copy
std::vector<float> decode_on_device(const std::vector<float>& similarity, int rows, int cols,
                                    const int (&content)[4], int decoder, float temperature,
                                    int radius, int tile_rows);

/// Why there is no CUDA device, empty where there is one.
const char* no_device();

}  // namespace homolog::test
