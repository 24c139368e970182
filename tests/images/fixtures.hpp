// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "homolog/images/image.hpp"
#include "images/encoded_pictures.hpp"

namespace homolog::test {

/// CRC-32 bit by bit, independent of the tables under test.
inline std::uint32_t slow_crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

inline std::uint32_t picture_crc(const Image& image) {
  return slow_crc32({reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size()});
}

/// The noise picture pillow_reference.py resizes.
inline Image generated_picture(int width, int height, std::uint32_t seed) {
  Image image(width, height);
  for (std::uint8_t& value : image.pixels) {
    seed = seed * 1664525U + 1013904223U;
    value = static_cast<std::uint8_t>(seed >> 24);
  }
  return image;
}

/// A smooth picture, which JPEG keeps well.
inline Image smooth_picture(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at(x, y)[0] = static_cast<std::uint8_t>(20 + 200 * x / width);
      image.at(x, y)[1] = static_cast<std::uint8_t>(20 + 200 * y / height);
      image.at(x, y)[2] = static_cast<std::uint8_t>(220 - 100 * x / width - 100 * y / height);
    }
  }
  return image;
}

inline std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255);
  return bytes;
}

inline std::string png_chunk(const std::string& type, const std::string& data) {
  return big_endian(static_cast<std::uint32_t>(data.size())) + type + data +
         big_endian(slow_crc32(type + data));
}

inline const std::string png_signature = "\x89PNG\r\n\x1a\n";

inline std::string png_header(std::uint32_t width, std::uint32_t height, char colour = 2) {
  return png_signature + png_chunk("IHDR", big_endian(width) + big_endian(height) + char{8} +
                                               colour + std::string(3, '\0'));
}

inline std::string encoded_picture(std::string_view name) {
  for (const EncodedPicture& picture : encoded_pictures) {
    if (picture.name != name) continue;
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    for (std::size_t i = 0; i < picture.hexadecimal.size(); i += 2) {
      bytes +=
          static_cast<char>(digit(picture.hexadecimal[i]) * 16 + digit(picture.hexadecimal[i + 1]));
    }
    return bytes;
  }
  throw std::invalid_argument(std::string(name));
}

}  // namespace homolog::test
