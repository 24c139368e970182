// SPDX-License-Identifier: Apache-2.0
// Made by pillow_reference.py with Pillow 13.0.0.
#pragma once

#include <cstdint>

namespace homolog::test {

/// Picture size, result size, generator seed, CRC-32 of the result's bytes.
struct ResizeReference {
  int width, height, new_width, new_height;
  std::uint32_t seed, bicubic, bilinear;
  std::uint32_t horizontal_first;  ///< bicubic, as two resizes of one axis each
};

// clang-format off
inline constexpr ResizeReference resize_references[] = {
    {300, 200, 224, 224, 1, 0x876f0f2f, 0x8fb03e3c, 0x876f0f2f},
    {200, 300, 224, 224, 2, 0x6028e057, 0xa0fc4a14, 0x81131d18},
    {300, 225, 518, 389, 3, 0xb3ec38e5, 0x3d4bb852, 0xb3ec38e5},
    {204, 300, 224, 224, 4, 0x8d9cc6c0, 0x775c0f9f, 0x134f7321},
    {64, 48, 64, 24, 5, 0xfc44246a, 0x1036b809, 0xfc44246a},
    {64, 48, 32, 48, 6, 0xf981a54e, 0x71584e2f, 0xf981a54e},
    {64, 48, 64, 96, 7, 0xf3457366, 0x22ef36aa, 0xf3457366},
    {64, 48, 128, 48, 8, 0x533d1860, 0x05cec7a7, 0x533d1860},
    {1, 1, 7, 5, 9, 0xddf6f82b, 0xddf6f82b, 0xddf6f82b},
    {1, 1, 1, 9, 10, 0x639fe951, 0x639fe951, 0x639fe951},
    {9, 7, 1, 1, 11, 0x1d2193f5, 0x8e056e87, 0x1d2193f5},
    {1, 40, 13, 1, 12, 0x2e8df9ff, 0x59af49c3, 0x2e8df9ff},
    {40, 1, 1, 13, 13, 0x1986f762, 0xf73b5d70, 0x1986f762},
    {2, 2, 3, 3, 14, 0xa0068680, 0x2cb65935, 0xa0068680},
    {3, 2, 2, 3, 15, 0xb9f95d78, 0x2e40db8d, 0xb9f95d78},
    {1, 500, 20, 20, 16, 0xb64b8c10, 0x2b81ecba, 0xb64b8c10},
    {500, 1, 20, 20, 17, 0x2a132e68, 0x7c362126, 0x2a132e68},
    {3, 700, 9, 5, 18, 0xdd76e644, 0xb74bea6a, 0x728885e6},
    {700, 3, 5, 9, 19, 0x69b317f5, 0x6700d5e6, 0x69b317f5},
    {50, 50, 40, 30, 20, 0x5e55903a, 0x497ba340, 0x5e55903a},
    {50, 50, 40, 29, 21, 0x2abc8fb1, 0xeff0c611, 0xe2aba170},
    {50, 52, 49, 50, 22, 0x62c4837b, 0x7f30fabd, 0x62c4837b},
    {50, 53, 49, 50, 23, 0x19572b29, 0x1904a8e9, 0xde63a44b},
    {21, 64, 21, 64, 24, 0x2fc5afa6, 0x2fc5afa6, 0x2fc5afa6},
    {22, 22, 44, 44, 25, 0xa632e142, 0x7b062d53, 0xa632e142},
    {44, 44, 22, 22, 26, 0x7cd568a7, 0x649ccdbf, 0x7cd568a7},
    {21, 9, 200, 3, 27, 0xa303363c, 0xf6a0f3c9, 0xbae59a7e},
    {10, 10, 11, 9, 28, 0xfe8c4f6d, 0xcc082462, 0xa60f2563},
    {19, 44, 59, 44, 29, 0x016c833a, 0x6bf36d14, 0x016c833a},
    {11, 4, 11, 3, 30, 0xd61eb0a1, 0x1f9b55d0, 0xd61eb0a1},
    {11, 12, 3, 3, 31, 0x9d0b47b1, 0x8754835e, 0x9d0b47b1},
    {9, 4, 12, 5, 32, 0x3768f30f, 0xd8d17817, 0x3768f30f},
    {7, 3, 11, 10, 33, 0x7ff5ab38, 0xe5a30933, 0x7ff5ab38},
    {5, 3, 2, 5, 34, 0x3451f239, 0x80b96c39, 0x3451f239},
    {48, 28, 9, 51, 35, 0x672ec927, 0x31376d46, 0x672ec927},
    {23, 55, 15, 32, 36, 0xb791518e, 0x16fed567, 0x96abf7b2},
    {145, 110, 172, 94, 37, 0xd6848a8e, 0x54f80f0e, 0x6f7e4c5c},
    {41, 21, 42, 8, 38, 0xfbac6fec, 0x75ee6601, 0x2dc92b89},
    {53, 39, 52, 41, 39, 0x4a954bbd, 0xfed805e1, 0x4a954bbd},
    {45, 29, 36, 40, 40, 0x18f0ad2a, 0x3542a300, 0x18f0ad2a},
    {35, 113, 174, 187, 41, 0xfb0ae894, 0x4165111d, 0xfb0ae894},
    {35, 12, 19, 13, 42, 0xe1b913fd, 0xe5716e69, 0xe1b913fd},
    {9, 6, 5, 6, 43, 0x7929246f, 0xbd1c1c59, 0x7929246f},
    {17, 39, 18, 26, 44, 0x23136a81, 0x72a059c8, 0xb3f9717a},
    {10, 8, 9, 4, 45, 0x8bdc8138, 0x850835d1, 0x101764e5},
    {61, 50, 180, 94, 46, 0x5ded7e16, 0x83410c32, 0x5ded7e16},
    {2, 7, 11, 11, 47, 0xaed39f01, 0xf701e001, 0xaed39f01},
    {25, 1, 47, 28, 48, 0xd59662c0, 0x0a599d20, 0xd59662c0},
    {4, 3, 8, 12, 49, 0x98003e7f, 0x75c9259f, 0x98003e7f},
    {41, 17, 11, 47, 50, 0xc6f640a3, 0x2d3c6b7e, 0xc6f640a3},
    {48, 56, 17, 57, 51, 0x7292b5fb, 0xa5915481, 0x7292b5fb},
    {13, 46, 55, 41, 52, 0x851db609, 0xf96c9228, 0x12193616},
    {34, 46, 43, 9, 53, 0x1f78f4b1, 0x99b2bfbc, 0x4b4c622a},
    {155, 61, 186, 128, 54, 0x4e85e281, 0x7f8ff14f, 0x4e85e281},
    {10, 1, 10, 12, 55, 0x0b51e5f8, 0x0b51e5f8, 0x0b51e5f8},
    {10, 92, 150, 187, 56, 0xe119a9fd, 0x9509b77a, 0xe119a9fd},
    {88, 47, 76, 50, 57, 0xeeccee15, 0xd6938e85, 0xeeccee15},
    {11, 9, 2, 4, 58, 0xf8d41d2d, 0x7fb390a6, 0xf8d41d2d},
    {2, 7, 11, 10, 59, 0x7c57159d, 0xe9e6d043, 0x7c57159d},
    {140, 178, 10, 113, 60, 0x96d4f94f, 0x5bf62c19, 0x96d4f94f},
    {42, 6, 34, 1, 61, 0x6d3acf92, 0x058921ee, 0x6d3acf92},
    {5, 2, 7, 5, 62, 0x5891c2f8, 0x7b734e00, 0x5891c2f8},
    {37, 39, 45, 5, 63, 0xb9c2da4e, 0xa4c07ebd, 0x40ab3e75},
    {34, 24, 55, 54, 64, 0xd5ec4184, 0xed490955, 0xd5ec4184},
    {1, 6, 6, 3, 65, 0x27cdcbae, 0x32bee540, 0x27cdcbae},
    {36, 35, 34, 53, 66, 0x72731b47, 0x4b4d682b, 0x72731b47},
    {15, 43, 14, 19, 67, 0x56c5f34e, 0x1b47ed13, 0x092a750f},
    {7, 9, 12, 3, 68, 0xa9d3f7c4, 0xe5557103, 0x561c2a0e},
    {38, 67, 109, 176, 69, 0xfc2ee7e9, 0xff518b35, 0xfc2ee7e9},
    {5, 7, 10, 4, 70, 0x06601e69, 0xa0cfab83, 0x90518981},
    {50, 16, 38, 19, 71, 0xd99806c9, 0x88618217, 0xd99806c9},
    {14, 42, 23, 28, 72, 0x2a8c8d6a, 0xfcf92dbc, 0xa4fb5d0d},
};
// clang-format on

}  // namespace homolog::test
