// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Decodes JPEG and PNG pictures from files and memory, after checks of their size and structure.
///
/// The order of the checks is: the file's size, its format, the picture size in its header, and
/// completeness (the chunks and checksums of a PNG, the markers of a JPEG). Pixels are decoded only
/// after that. A picture that is refused because of its header takes no memory beyond its
/// compressed bytes. Decoding pictures of unknown origin is still best done in a process of its
/// own, with limits of the operating system.
///
/// All pictures become RGB: grey is repeated, alpha and transparent colours are dropped without
/// compositing, 16-bit channels keep their upper byte, Adobe's CMYK and YCCK JPEGs are converted as
/// R = (255 - C) * (255 - K) / 255. An EXIF orientation is not applied. Embedded colour profiles
/// and gamma are ignored.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "homolog/core/files.hpp"
#include "homolog/images/image.hpp"

namespace homolog::inline v0_1 {

/// Most pixels a side of a picture may have; not settable.
inline constexpr int max_image_side = 1 << 14;

/// How large a picture may be before it is refused.
struct DecodeLimits {
  std::uintmax_t max_file_bytes = std::uintmax_t{256} << 20;  ///< [bytes] compressed
  std::int64_t max_pixels = std::int64_t{64} * 1000 * 1000;   ///< [px] width * height
};

/// Decodes a JPEG or PNG to RGB uint8 [height, width, 3].
///
/// @param bytes the whole compressed picture
/// @param name what errors call it, usually the file's path
/// @throws ImageError when it is neither format, too large, truncated or damaged. (A JPEG with
/// missing data that still has its end marker is accepted; the missing part is grey.)
Image decode_image(std::string_view bytes, const std::string& name,
                   const DecodeLimits& limits = {});

/// Reads and decodes a picture file; see decode_image.
///
/// @throws FileError when the file cannot be read or is above `max_file_bytes`
/// @throws ImageError
inline Image load_image(const std::filesystem::path& path, const DecodeLimits& limits = {}) {
  return decode_image(read_file(path, limits.max_file_bytes), path.string(), limits);
}

/// The size a picture file's header announces, after the same checks, without decoding. The rest of
/// the file is neither read nor checked as long as the header lies in its first 64 KiB.
///
/// @throws FileError when the file cannot be read or is above `max_file_bytes`
/// @throws ImageError
Size read_image_size(const std::filesystem::path& path, const DecodeLimits& limits = {});

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/images/detail/decode_inl.hpp"
#endif
