// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Pictures to PNG and JPEG, in memory and as files.

#include <filesystem>
#include <string>

#include "homolog/images/image.hpp"

namespace homolog::inline v0_1 {

/// The picture as RGB PNG. Equal pictures give equal bytes.
///
/// @throws ShapeError when the pixels do not fit the size
/// @throws ImageError when a side is above 65535 or the pixels above 2^30 bytes
std::string encode_png(const Image& image);

/// The picture as baseline JPEG; chroma has half the resolution up to quality 90.
///
/// @param quality 1 to 100
/// @throws SettingError when the quality is outside its range
/// @throws ShapeError when the pixels do not fit the size
/// @throws ImageError when a side is above 65535 or the pixels above 2^30 bytes
std::string encode_jpeg(const Image& image, int quality);

/// Writes a picture; the file is either written completely or stays as it was.
///
/// @param path ends in .png, .jpg or .jpeg, in any case
/// @param jpeg_quality 1 to 100, unused for PNG
/// @throws ImageError when the extension is another one
/// @throws FileError when the file cannot be written
/// @throws ShapeError, SettingError as the encoders
void save_image(const std::filesystem::path& path, const Image& image, int jpeg_quality = 95);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/images/detail/encode_inl.hpp"
#endif
