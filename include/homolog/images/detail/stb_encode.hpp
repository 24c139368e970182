// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// stb_image_write, to memory only, compiled in a namespace of its own with internal linkage, so
/// that it does not conflict with another copy in the program. The settings a user gave to that
/// other copy are put aside before the include and restored after it.

// What stb_image_write includes is included here first, at global scope: its own includes then do
// nothing inside the namespace.
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cstddef>
#include <string>

#include "homolog/images/image.hpp"

#pragma push_macro("INCLUDE_STB_IMAGE_WRITE_H")
#pragma push_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#pragma push_macro("STB_IMAGE_WRITE_STATIC")
#pragma push_macro("STBIWDEF")
#pragma push_macro("STBIW_ASSERT")
#pragma push_macro("STBIW_MALLOC")
#pragma push_macro("STBIW_REALLOC")
#pragma push_macro("STBIW_REALLOC_SIZED")
#pragma push_macro("STBIW_FREE")
#pragma push_macro("STBIW_MEMMOVE")
#pragma push_macro("STBIW_ZLIB_COMPRESS")
#pragma push_macro("STBIW_CRC32")
#pragma push_macro("STBIW_WINDOWS_UTF8")
#pragma push_macro("STBI_WRITE_NO_STDIO")
#undef INCLUDE_STB_IMAGE_WRITE_H
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#undef STB_IMAGE_WRITE_STATIC
#undef STBIWDEF
#undef STBIW_ASSERT
#undef STBIW_MALLOC
#undef STBIW_REALLOC
#undef STBIW_REALLOC_SIZED
#undef STBIW_FREE
#undef STBIW_MEMMOVE
#undef STBIW_ZLIB_COMPRESS
#undef STBIW_CRC32
#undef STBIW_WINDOWS_UTF8
#undef STBI_WRITE_NO_STDIO

// Left behind by another copy of stb_image_write, if one was included before.
#undef STBIW_UCHAR
#undef stbiw__ZHASH
#undef stbiw__max
#undef stbiw__sbcount
#undef stbiw__sbfree
#undef stbiw__sbgrow
#undef stbiw__sbm
#undef stbiw__sbmaybegrow
#undef stbiw__sbn
#undef stbiw__sbneedgrow
#undef stbiw__sbpush
#undef stbiw__sbraw
#undef stbiw__wp32
#undef stbiw__wpng4
#undef stbiw__wptag
#undef stbiw__zlib_add
#undef stbiw__zlib_flush
#undef stbiw__zlib_huff
#undef stbiw__zlib_huff1
#undef stbiw__zlib_huff2
#undef stbiw__zlib_huff3
#undef stbiw__zlib_huff4
#undef stbiw__zlib_huffa
#undef stbiw__zlib_huffb

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wpedantic"
#endif
namespace homolog::inline v0_1::detail::stb_encoder {
#include <stb_image_write.h>
}  // namespace homolog::inline v0_1::detail::stb_encoder
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

// Names stb_image_write defines for itself and leaves behind.
#undef STBIW_UCHAR
#undef stbiw__ZHASH
#undef stbiw__max
#undef stbiw__sbcount
#undef stbiw__sbfree
#undef stbiw__sbgrow
#undef stbiw__sbm
#undef stbiw__sbmaybegrow
#undef stbiw__sbn
#undef stbiw__sbneedgrow
#undef stbiw__sbpush
#undef stbiw__sbraw
#undef stbiw__wp32
#undef stbiw__wpng4
#undef stbiw__wptag
#undef stbiw__zlib_add
#undef stbiw__zlib_flush
#undef stbiw__zlib_huff
#undef stbiw__zlib_huff1
#undef stbiw__zlib_huff2
#undef stbiw__zlib_huff3
#undef stbiw__zlib_huff4
#undef stbiw__zlib_huffa
#undef stbiw__zlib_huffb
#pragma pop_macro("INCLUDE_STB_IMAGE_WRITE_H")
#pragma pop_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#pragma pop_macro("STB_IMAGE_WRITE_STATIC")
#pragma pop_macro("STBIWDEF")
#pragma pop_macro("STBIW_ASSERT")
#pragma pop_macro("STBIW_MALLOC")
#pragma pop_macro("STBIW_REALLOC")
#pragma pop_macro("STBIW_REALLOC_SIZED")
#pragma pop_macro("STBIW_FREE")
#pragma pop_macro("STBIW_MEMMOVE")
#pragma pop_macro("STBIW_ZLIB_COMPRESS")
#pragma pop_macro("STBIW_CRC32")
#pragma pop_macro("STBIW_WINDOWS_UTF8")
#pragma pop_macro("STBI_WRITE_NO_STDIO")

namespace homolog::inline v0_1::detail {

/// Appends to the std::string at `context`.
inline void append_encoded(void* context, void* data, int size) {
  static_cast<std::string*>(context)->append(static_cast<const char*>(data),
                                             static_cast<std::size_t>(size));
}

/// The picture as PNG; empty when memory runs out.
inline std::string stb_encode_png(const Image& image) {
  std::string bytes;
  if (stb_encoder::stbi_write_png_to_func(append_encoded, &bytes, image.width, image.height, 3,
                                          image.pixels.data(), image.width * 3) == 0) {
    bytes.clear();
  }
  return bytes;
}

/// The picture as JPEG; empty on failure.
inline std::string stb_encode_jpeg(const Image& image, int quality) {
  std::string bytes;
  if (stb_encoder::stbi_write_jpg_to_func(append_encoded, &bytes, image.width, image.height, 3,
                                          image.pixels.data(), quality) == 0) {
    bytes.clear();
  }
  return bytes;
}

}  // namespace homolog::inline v0_1::detail
