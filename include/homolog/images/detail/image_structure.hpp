// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What kind of picture a byte string is, the size its header announces, and whether it is
/// complete. The decoder behind it fills in what is missing from a truncated JPEG and ignores the
/// checksums of a PNG, so completeness is checked here.

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1::detail {

enum class ImageFormat { jpeg, png };

/// Size a header announces; 0x0 when the header is too short or too damaged to tell.
struct AnnouncedSize {
  std::int64_t width = 0;
  std::int64_t height = 0;
};

/// The most scans that a progressive JPEG may have. Each scan takes a pass over the whole picture
/// but only a few bytes of the file; encoders write about ten.
inline constexpr int max_jpeg_scans = 500;

inline std::uint32_t byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}
inline std::uint32_t big_endian16(std::string_view bytes, std::size_t i) {
  return byte_at(bytes, i) << 8 | byte_at(bytes, i + 1);
}
inline std::uint32_t big_endian32(std::string_view bytes, std::size_t i) {
  return big_endian16(bytes, i) << 16 | big_endian16(bytes, i + 2);
}

/// Describes bytes that are neither JPEG nor PNG, for the error message.
inline std::string describe_bytes(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  if (bytes.starts_with("GIF8")) return "GIF";
  if (bytes.starts_with("BM")) return "BMP";
  if (bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP")) return "WebP";
  if (bytes.starts_with(std::string_view("II*\0", 4)) ||
      bytes.starts_with(std::string_view("MM\0*", 4))) {
    return "TIFF";
  }
  if (bytes.starts_with("<!") || bytes.starts_with("<html")) return "a web page";
  std::string words = "bytes that start with";
  for (const char c : bytes.substr(0, 4)) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(c);
    words += ' ';
    words += digits[value >> 4];
    words += digits[value & 15];
  }
  return words;
}

/// Detects JPEG or PNG by the first bytes; the file's name is ignored.
///
/// @throws ImageError when it is neither
inline ImageFormat detect_format(std::string_view bytes, const std::string& name) {
  if (bytes.starts_with("\xff\xd8\xff")) return ImageFormat::jpeg;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return ImageFormat::png;
  throw ImageError(text(name, ": expected a JPEG or PNG picture, got ", describe_bytes(bytes)));
}

/// Eight tables for eight bytes a step of the CRC-32 of PNG (polynomial 0xedb88320, reflected).
inline constexpr auto png_crc32_tables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t value = 0; value < 256; ++value) {
    std::uint32_t crc = value;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320U : 0U);
    tables[0][value] = crc;
  }
  for (std::size_t step = 1; step < 8; ++step) {
    for (std::size_t value = 0; value < 256; ++value) {
      const std::uint32_t crc = tables[step - 1][value];
      tables[step][value] = (crc >> 8) ^ tables[0][crc & 255];
    }
  }
  return tables;
}();

/// CRC-32 of a byte string, as PNG and zlib compute it.
inline std::uint32_t png_crc32(std::string_view bytes) {
  const auto& t = png_crc32_tables;
  std::uint32_t crc = 0xffffffffU;
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    const std::uint32_t a = crc ^ (byte_at(bytes, i) | byte_at(bytes, i + 1) << 8 |
                                   byte_at(bytes, i + 2) << 16 | byte_at(bytes, i + 3) << 24);
    crc = t[7][a & 255] ^ t[6][a >> 8 & 255] ^ t[5][a >> 16 & 255] ^ t[4][a >> 24] ^
          t[3][byte_at(bytes, i + 4)] ^ t[2][byte_at(bytes, i + 5)] ^ t[1][byte_at(bytes, i + 6)] ^
          t[0][byte_at(bytes, i + 7)];
  }
  for (; i < bytes.size(); ++i) crc = (crc >> 8) ^ t[0][(crc ^ byte_at(bytes, i)) & 255];
  return ~crc;
}

/// Size in a PNG's IHDR; zeros where the file does not start with a whole one.
inline AnnouncedSize announced_png_size(std::string_view bytes) {
  if (bytes.size() < 33 || bytes.substr(12, 4) != "IHDR") return {};
  return {big_endian32(bytes, 16), big_endian32(bytes, 20)};
}

/// Where the content of a PNG's palette starts, and its length [bytes]; 0 and 0 without one.
struct PngPalette {
  std::size_t start = 0;
  std::size_t length = 0;
};

/// Checks that a PNG starts with IHDR, ends with IEND, that each chunk between is whole, known or
/// optional, and has the right checksum. What follows IEND is ignored.
///
/// @throws ImageError
inline PngPalette check_png(std::string_view bytes, const std::string& name) {
  PngPalette palette;
  std::size_t position = 8;
  for (bool first = true;; first = false) {
    if (bytes.size() - position < 12) {
      throw ImageError(text(name,
                            ": truncated PNG, expected a chunk or the end marker IEND at byte ",
                            position, ", got ", bytes.size(), " bytes"));
    }
    const std::size_t length = big_endian32(bytes, position);
    const std::string_view type = bytes.substr(position + 4, 4);
    if (length > bytes.size() - position - 12) {
      throw ImageError(text(name, ": truncated PNG, the chunk at byte ", position, " announces ",
                            length, " bytes, got ", bytes.size() - position - 12));
    }
    const std::uint32_t expected = big_endian32(bytes, position + 8 + length);
    const std::uint32_t got = png_crc32(bytes.substr(position + 4, 4 + length));
    if (expected != got) {
      throw ImageError(text(name, ": damaged PNG, the chunk at byte ", position,
                            " expected the checksum ", expected, ", got ", got));
    }
    if (first != (type == "IHDR")) {
      throw ImageError(text(name, ": malformed PNG, expected IHDR as first chunk and only there"));
    }
    const bool optional = (byte_at(type, 0) & 0x20) != 0;
    if (!optional && type != "IHDR" && type != "PLTE" && type != "IDAT" && type != "IEND") {
      throw ImageError(text(name, ": malformed PNG, expected IHDR, PLTE, IDAT or IEND as required ",
                            "chunks, got another one at byte ", position));
    }
    if (type == "PLTE") palette = {position + 8, length};
    if (type == "IEND") return palette;
    position += 12 + length;
  }
}

/// True when a JPEG segment of Huffman tables is whole and its tables are ones the decoder can
/// hold: the decoder writes past the end of a table of more than 256 codes, and confuses code 255
/// with its own mark of an absent code. Tables of 8-bit pictures have at most 12 (mean) and 176
/// codes.
///
/// @param segment with its two bytes of length
inline bool are_huffman_tables_sound(std::string_view segment) {
  std::size_t position = 2;
  while (position < segment.size()) {
    if (segment.size() - position < 17) return false;
    const bool of_means = byte_at(segment, position) >> 4 == 0;
    std::size_t codes = 0;
    for (std::size_t i = 1; i <= 16; ++i) codes += byte_at(segment, position + i);
    position += 17;
    if (codes > 255 || codes > segment.size() - position) return false;
    for (std::size_t i = 0; i < codes && of_means; ++i) {
      if (byte_at(segment, position + i) > 15) return false;  // bits of a difference of means
    }
    position += codes;
  }
  return true;
}

/// What the walk over a JPEG's markers finds.
struct JpegStructure {
  AnnouncedSize size;
  int components = 0;
  int adobe_transform = -1;  ///< colour transform of the Adobe segment, -1 without one
};

/// The next marker: 0xff and a byte that is neither stuffing, fill nor a restart. Nothing when the
/// file ends before it.
///
/// @param position where the search begins; then behind the marker
inline std::optional<std::uint32_t> next_jpeg_marker(std::string_view bytes,
                                                     std::size_t& position) {
  while (true) {
    position = bytes.find('\xff', position);
    if (position == std::string_view::npos || position + 1 >= bytes.size()) return std::nullopt;
    const std::uint32_t marker = byte_at(bytes, ++position);
    if (marker == 0xff) continue;
    ++position;
    if (marker > 0x01 && (marker < 0xd0 || marker > 0xd7)) return marker;
  }
}

/// Removes the channels of a scan from the set of channels that no scan has started yet.
///
/// @param malformed makes the error for an invalid scan header
template <class Malformed>
void start_scan(std::string_view segment, std::bitset<256>& missing, const Malformed& malformed) {
  const std::size_t channels = segment.size() < 3 ? 0 : byte_at(segment, 2);
  if (segment.size() != 6 + 2 * channels) throw malformed("a scan header of the wrong length");
  const bool starts_at_mean = byte_at(segment, 3 + 2 * channels) == 0;
  for (std::size_t i = 0; i < channels && starts_at_mean; ++i) {
    missing.reset(byte_at(segment, 3 + 2 * i));
  }
}

/// Walks the markers of a JPEG from the first to the end-of-image marker. What follows that marker
/// is ignored: cameras append previews there.
///
/// @param header_only stops at the frame header and returns zeros when there is none
/// @throws ImageError; with `header_only` not for what is missing
inline JpegStructure walk_jpeg(std::string_view bytes, const std::string& name, bool header_only) {
  JpegStructure jpeg;
  std::bitset<256> missing;  // components no scan has started yet
  int scans = 0;
  std::size_t position = 2;
  const auto truncated = [&] {
    return ImageError(text(name, ": truncated JPEG, expected the end-of-image marker, got the end ",
                           "of the file after ", bytes.size(), " bytes"));
  };
  const auto malformed = [&](const auto&... reason) {
    return ImageError(text(name, ": malformed JPEG, ", reason...));
  };
  for (;;) {
    const std::optional<std::uint32_t> found = next_jpeg_marker(bytes, position);
    if (!found && header_only) return jpeg;
    if (!found) throw truncated();
    const std::uint32_t marker = *found;
    if (marker == 0xd9) {
      if (header_only) return jpeg;
      if (scans == 0) throw malformed("expected picture data before the end-of-image marker");
      if (missing.any()) throw malformed("expected a scan of every channel");
      return jpeg;
    }
    const std::size_t available = bytes.size() - position;
    const std::size_t length = available < 2 ? 2 : big_endian16(bytes, position);
    if (length < 2) throw malformed("expected a segment of at least 2 bytes at byte ", position);
    if (length > available) {
      if (header_only) return jpeg;
      throw truncated();
    }
    const std::string_view segment = bytes.substr(position, length);
    position += length;
    const bool frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (marker == 0xc4 && !are_huffman_tables_sound(segment)) {
      throw malformed("expected whole Huffman tables of at most 255 codes before byte ", position);
    }
    if (marker == 0xee && segment.size() >= 14 && segment.substr(2, 5) == "Adobe") {
      jpeg.adobe_transform = static_cast<int>(byte_at(segment, 13));
    } else if (frame && segment.size() >= 8) {
      if (!header_only && jpeg.components != 0) throw malformed("expected one frame, got two");
      jpeg.size = {big_endian16(segment, 5), big_endian16(segment, 3)};
      jpeg.components = static_cast<int>(byte_at(segment, 7));
      if (header_only) return jpeg;
      if (marker > 0xc2) {
        throw ImageError(text(name, ": expected a baseline or progressive JPEG, got a lossless, ",
                              "hierarchical or arithmetic-coded one"));
      }
      if (segment.size() != 8 + 3 * static_cast<std::size_t>(jpeg.components)) {
        throw malformed("expected ", 8 + 3 * jpeg.components, " bytes of frame header, got ",
                        segment.size());
      }
      for (std::size_t i = 8; i < segment.size(); i += 3) missing.set(byte_at(segment, i));
    } else if (marker == 0xda) {
      if (++scans > max_jpeg_scans) {
        throw malformed("expected at most ", max_jpeg_scans, " scans");
      }
      start_scan(segment, missing, malformed);
    }
  }
}

}  // namespace homolog::inline v0_1::detail
