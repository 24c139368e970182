// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of images/decode.hpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/images/detail/image_structure.hpp"
#include "homolog/images/detail/stb_decode.hpp"
#include "homolog/images/image.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Format and size of a picture whose header passed the checks.
struct CheckedHeader {
  ImageFormat format;
  Size size;
};

inline CheckedHeader check_header(std::string_view bytes, const std::string& name,
                                  const DecodeLimits& limits) {
  const std::uintmax_t limit = std::min<std::uintmax_t>(
      limits.max_file_bytes, static_cast<std::uintmax_t>((std::numeric_limits<int>::max)()));
  if (bytes.size() > limit) {
    throw ImageError(
        text(name, ": expected at most ", limit, " compressed bytes, got ", bytes.size()));
  }
  const ImageFormat format = detect_format(bytes, name);
  const AnnouncedSize announced =
      format == ImageFormat::png ? announced_png_size(bytes) : walk_jpeg(bytes, name, true).size;
  const std::string got = text(announced.width, "x", announced.height);
  if (announced.width > max_image_side || announced.height > max_image_side) {
    throw ImageError(
        text(name, ": expected sides of at most ", max_image_side, " pixels, got ", got));
  }
  if (announced.width * announced.height > limits.max_pixels) {
    throw ImageError(text(name, ": expected at most ", limits.max_pixels, " pixels, got ", got,
                          " = ", announced.width * announced.height));
  }
  const char* kind = format == ImageFormat::png ? "PNG" : "JPEG";
  if (announced.width < 1 || announced.height < 1) {
    throw ImageError(
        text(name, ": expected a ", kind, " header with a size, got ", got, " or no header"));
  }
  // For a PNG, stb_image gets only the first chunk: newer versions would read on to the pixels and
  // report, in other words, errors that check_png finds later.
  const StbHeader header = format == ImageFormat::png
                               ? stb_read_header(std::string(bytes.substr(0, 33)) +
                                                 std::string("\0\0\0\0IEND\xae\x42\x60\x82", 12))
                               : stb_read_header(bytes);
  if (!header.reason.empty()) {
    throw ImageError(
        text(name, ": expected a ", kind, " header, got a damaged one (", header.reason, ")"));
  }
  if (header.width != announced.width || header.height != announced.height || header.channels < 1 ||
      header.channels > 4) {
    throw ImageError(text(name, ": the ", kind, " header says ", got, ", but stb_image reads ",
                          header.width, "x", header.height, " with ", header.channels,
                          " channels from it"));
  }
  return {format, {header.width, header.height}};
}

/// A PNG whose palette has all 256 entries, missing ones black. The decoder does not check indices
/// against the palette's length and would read entries nobody wrote.
inline std::string complete_palette(std::string_view bytes, PngPalette palette) {
  std::string whole(bytes.substr(0, palette.start - 8));
  whole.append(std::string_view("\0\0\3\0PLTE", 8));
  whole.append(bytes.substr(palette.start, palette.length));
  whole.append(768 - palette.length, '\0');
  whole.append(bytes.substr(palette.start + palette.length));
  return whole;
}

}  // namespace detail

HOMOLOG_INLINE Image decode_image(std::string_view bytes, const std::string& name,
                                  const DecodeLimits& limits) {
  const auto [format, size] = detail::check_header(bytes, name, limits);
  std::string with_palette;
  if (format == detail::ImageFormat::png) {
    const auto palette = detail::check_png(bytes, name);
    const bool indexed = detail::byte_at(bytes, 25) == 3;
    if (indexed && palette.start != 0 && palette.length < 768) {
      with_palette = detail::complete_palette(bytes, palette);
      bytes = with_palette;
    }
  } else {
    const auto jpeg = detail::walk_jpeg(bytes, name, false);
    if (jpeg.components == 4 && jpeg.adobe_transform != 0 && jpeg.adobe_transform != 2) {
      throw ImageError(
          detail::text(name, ": expected a grey, RGB or Adobe CMYK JPEG, got four ",
                       "channels without an Adobe segment that names their colour space"));
    }
  }
  // No block of memory for a valid picture is larger than twice its pixels as 16-bit RGBA, rounded
  // up to JPEG blocks, or twice its compressed bytes.
  const auto padded = [](int side) { return static_cast<std::size_t>(side) + 64; };
  const std::size_t largest_block =
      (std::max)(16 * padded(size.width) * padded(size.height), 2 * bytes.size() + (1 << 16));
  Image image;
  image.width = size.width;
  image.height = size.height;
  const std::string reason = detail::stb_decode(bytes, largest_block, image);
  if (!reason.empty()) {
    throw ImageError(detail::text(name, ": expected ", size.width, "x", size.height,
                                  " pixels, got damaged data (", reason, ")"));
  }
  return image;
}

HOMOLOG_INLINE Size read_image_size(const std::filesystem::path& path, const DecodeLimits& limits) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (!error && size > (1 << 16) && size <= limits.max_file_bytes) {
    std::string start(1 << 16, '\0');
    std::ifstream stream(path, std::ios::binary);
    if (stream.read(start.data(), static_cast<std::streamsize>(start.size()))) {
      try {
        return detail::check_header(start, path.string(), limits).size;
      } catch (const ImageError&) {
        // A long preview or colour profile may precede the header, so that the whole file has to be
        // read.
      }
    }
  }
  return detail::check_header(read_file(path, limits.max_file_bytes), path.string(), limits).size;
}

}  // namespace homolog::inline v0_1
