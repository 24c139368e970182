// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of images/encode.hpp.

#include <cstddef>
#include <filesystem>
#include <string>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/images/detail/stb_encode.hpp"
#include "homolog/images/encode.hpp"
#include "homolog/images/image.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Checks that a picture's pixels fit its size, and that the encoders' 32-bit arithmetic can hold
/// that size.
inline void check_encodable(const Image& image, const char* user) {
  ImageView(image).require_valid(user);
  if (image.width > 65535 || image.height > 65535 || image.pixels.size() > (std::size_t{1} << 30)) {
    throw ImageError(text(user, ": expected sides of at most 65535 pixels and 2^30 bytes, got ",
                          image.width, "x", image.height));
  }
}

}  // namespace detail

HOMOLOG_INLINE std::string encode_png(const Image& image) {
  detail::check_encodable(image, "encode_png");
  std::string bytes = detail::stb_encode_png(image);
  if (bytes.empty()) throw ImageError("encode_png: out of memory");
  return bytes;
}

HOMOLOG_INLINE std::string encode_jpeg(const Image& image, int quality) {
  if (quality < 1 || quality > 100) {
    throw SettingError(detail::text("encode_jpeg: expected a quality of 1 to 100, got ", quality));
  }
  detail::check_encodable(image, "encode_jpeg");
  std::string bytes = detail::stb_encode_jpeg(image, quality);
  if (bytes.empty()) throw ImageError("encode_jpeg: cannot encode the picture");
  return bytes;
}

HOMOLOG_INLINE void save_image(const std::filesystem::path& path, const Image& image,
                               int jpeg_quality) {
  std::string extension = path.extension().string();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (extension == ".png") {
    write_file_atomically(path, encode_png(image));
  } else if (extension == ".jpg" || extension == ".jpeg") {
    write_file_atomically(path, encode_jpeg(image, jpeg_quality));
  } else {
    throw ImageError(detail::text(path.string(), ": expected a name in .png, .jpg or .jpeg, got \"",
                                  extension, "\""));
  }
}

}  // namespace homolog::inline v0_1
