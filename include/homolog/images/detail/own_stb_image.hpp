// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// stb_image, JPEG and PNG only, compiled in a namespace of its own with internal linkage, so that
/// it does not conflict with another copy of stb_image in the program. The settings a user gave to
/// that other copy are put aside before the include and restored after it.
///
/// In version 2.27 a JPEG whose scan ends early makes it shift a zero by more than 31 bits. The
/// result is zero on every machine, but a sanitizer of shifts reports it.

// What stb_image includes is included here first, at global scope: its own includes then do nothing
// inside the namespace.
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__) || defined(_M_X64) || defined(_M_IX86)
#include <emmintrin.h>
#endif
#if defined(_MSC_VER)
#include <intrin.h>
#endif

#include <cstddef>
#include <stdexcept>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1::detail::stb_decoder {

/// [bytes] The largest block stb_image may take on this thread; 0 outside a call.
inline thread_local std::size_t allocation_limit = 0;

// Zeroed, because a damaged file can leave parts of stb_image's buffers unwritten, and what it then
// decodes to must not depend on earlier memory. Limited, because stb_image inflates a PNG's data
// without regard to the announced size.
inline void* allocate(std::size_t bytes) {
  return bytes > allocation_limit ? nullptr : calloc(bytes, 1);
}
inline void* reallocate(void* block, std::size_t bytes) {
  return bytes > allocation_limit ? nullptr : realloc(block, bytes);
}
[[noreturn]] inline void fail_assertion() { throw std::logic_error("inconsistent picture data"); }

}  // namespace homolog::inline v0_1::detail::stb_decoder

#pragma push_macro("STBI_INCLUDE_STB_IMAGE_H")
#pragma push_macro("stbi_failure_reason")
#pragma push_macro("stbi_info_from_memory")
#pragma push_macro("stbi_load_from_memory")
#pragma push_macro("stbi_zlib_decode_malloc_guesssize_headerflag")
#pragma push_macro("STB_IMAGE_IMPLEMENTATION")
#pragma push_macro("STB_IMAGE_STATIC")
#pragma push_macro("STBIDEF")
#pragma push_macro("STBI_ASSERT")
#pragma push_macro("STBI_MALLOC")
#pragma push_macro("STBI_REALLOC")
#pragma push_macro("STBI_REALLOC_SIZED")
#pragma push_macro("STBI_FREE")
#pragma push_macro("STBI_MAX_DIMENSIONS")
#pragma push_macro("STBI_THREAD_LOCAL")
#pragma push_macro("STBI_SIMD_ALIGN")
#pragma push_macro("STBI_SUPPORT_ZLIB")
#pragma push_macro("STBI_FAILURE_USERMSG")
#pragma push_macro("STBI_ONLY_JPEG")
#pragma push_macro("STBI_ONLY_PNG")
#pragma push_macro("STBI_ONLY_BMP")
#pragma push_macro("STBI_ONLY_GIF")
#pragma push_macro("STBI_ONLY_HDR")
#pragma push_macro("STBI_ONLY_PIC")
#pragma push_macro("STBI_ONLY_PNM")
#pragma push_macro("STBI_ONLY_PSD")
#pragma push_macro("STBI_ONLY_TGA")
#pragma push_macro("STBI_ONLY_ZLIB")
#pragma push_macro("STBI_NO_JPEG")
#pragma push_macro("STBI_NO_PNG")
#pragma push_macro("STBI_NO_BMP")
#pragma push_macro("STBI_NO_GIF")
#pragma push_macro("STBI_NO_HDR")
#pragma push_macro("STBI_NO_PIC")
#pragma push_macro("STBI_NO_PNM")
#pragma push_macro("STBI_NO_PSD")
#pragma push_macro("STBI_NO_TGA")
#pragma push_macro("STBI_NO_ZLIB")
#pragma push_macro("STBI_NO_STDIO")
#pragma push_macro("STBI_NO_LINEAR")
#pragma push_macro("STBI_NO_FAILURE_STRINGS")
#pragma push_macro("STBI_NO_THREAD_LOCALS")
#undef STBI_INCLUDE_STB_IMAGE_H
#undef STB_IMAGE_IMPLEMENTATION
#undef STB_IMAGE_STATIC
#undef STBIDEF
#undef STBI_ASSERT
#undef STBI_MALLOC
#undef STBI_REALLOC
#undef STBI_REALLOC_SIZED
#undef STBI_FREE
#undef STBI_MAX_DIMENSIONS
#undef STBI_THREAD_LOCAL
#undef STBI_SIMD_ALIGN
#undef STBI_SUPPORT_ZLIB
#undef STBI_FAILURE_USERMSG
#undef STBI_ONLY_JPEG
#undef STBI_ONLY_PNG
#undef STBI_ONLY_BMP
#undef STBI_ONLY_GIF
#undef STBI_ONLY_HDR
#undef STBI_ONLY_PIC
#undef STBI_ONLY_PNM
#undef STBI_ONLY_PSD
#undef STBI_ONLY_TGA
#undef STBI_ONLY_ZLIB
#undef STBI_NO_JPEG
#undef STBI_NO_PNG
#undef STBI_NO_BMP
#undef STBI_NO_GIF
#undef STBI_NO_HDR
#undef STBI_NO_PIC
#undef STBI_NO_PNM
#undef STBI_NO_PSD
#undef STBI_NO_TGA
#undef STBI_NO_ZLIB
#undef STBI_NO_STDIO
#undef STBI_NO_LINEAR
#undef STBI_NO_FAILURE_STRINGS
#undef STBI_NO_THREAD_LOCALS

// Left behind by another copy of stb_image, if one was included before.
#undef FAST_BITS
#undef STBI_EXTERN
#undef STBI_NOTUSED
#undef STBI_SSE2
#undef STBI_NEON
#undef STBI_HAS_LROTL
#undef STBI_VERSION
#undef STBI__BYTECAST
#undef STBI__COMBO
#undef STBI__IDCT_1D
#undef STBI__MARKER_none
#undef STBI__PNG_TYPE
#undef STBI__RESTART
#undef STBI__X64_TARGET
#undef STBI__X86_TARGET
#undef STBI__ZFAST_BITS
#undef STBI__ZFAST_MASK
#undef STBI__ZNSYMS
#undef stbi__DNL
#undef stbi__EOI
#undef stbi__SOF
#undef stbi__SOF_progressive
#undef stbi__SOI
#undef stbi__SOS
#undef stbi__de_iphone_flag
#undef stbi__div16
#undef stbi__div4
#undef stbi__err
#undef stbi__errpf
#undef stbi__errpuc
#undef stbi__f2f
#undef stbi__float2fixed
#undef stbi__fsh
#undef stbi__unpremultiply_on_load
#undef stbi__vertically_flip_on_load
#undef stbi_inline
#undef stbi_lrot

// These functions have C linkage in every namespace: another copy of stb_image in the same source
// would define the same symbols.
#undef stbi_failure_reason
#define stbi_failure_reason homolog_stbi_failure_reason
#undef stbi_info_from_memory
#define stbi_info_from_memory homolog_stbi_info_from_memory
#undef stbi_load_from_memory
#define stbi_load_from_memory homolog_stbi_load_from_memory
#undef stbi_zlib_decode_malloc_guesssize_headerflag
#define stbi_zlib_decode_malloc_guesssize_headerflag \
  homolog_stbi_zlib_decode_malloc_guesssize_headerflag

#define STB_IMAGE_IMPLEMENTATION
#define STBIDEF static inline  // absent when not called
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_MAX_DIMENSIONS (1 << 14)
#define STBI_MALLOC(bytes) ::homolog::detail::stb_decoder::allocate(bytes)
#define STBI_REALLOC(block, bytes) ::homolog::detail::stb_decoder::reallocate(block, bytes)
#define STBI_FREE(block) free(block)
#define STBI_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::homolog::detail::stb_decoder::fail_assertion())

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
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#endif
namespace homolog::inline v0_1::detail::stb_decoder {
#include <stb_image.h>
}  // namespace homolog::inline v0_1::detail::stb_decoder
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

// Names stb_image defines for itself and leaves behind.
#undef FAST_BITS
#undef STBI_EXTERN
#undef STBI_NOTUSED
#undef STBI_SSE2
#undef STBI_NEON
#undef STBI_HAS_LROTL
#undef STBI_VERSION
#undef STBI__BYTECAST
#undef STBI__COMBO
#undef STBI__IDCT_1D
#undef STBI__MARKER_none
#undef STBI__PNG_TYPE
#undef STBI__RESTART
#undef STBI__X64_TARGET
#undef STBI__X86_TARGET
#undef STBI__ZFAST_BITS
#undef STBI__ZFAST_MASK
#undef STBI__ZNSYMS
#undef stbi__DNL
#undef stbi__EOI
#undef stbi__SOF
#undef stbi__SOF_progressive
#undef stbi__SOI
#undef stbi__SOS
#undef stbi__de_iphone_flag
#undef stbi__div16
#undef stbi__div4
#undef stbi__err
#undef stbi__errpf
#undef stbi__errpuc
#undef stbi__f2f
#undef stbi__float2fixed
#undef stbi__fsh
#undef stbi__unpremultiply_on_load
#undef stbi__vertically_flip_on_load
#undef stbi_inline
#undef stbi_lrot
#pragma pop_macro("STBI_INCLUDE_STB_IMAGE_H")
#pragma pop_macro("stbi_failure_reason")
#pragma pop_macro("stbi_info_from_memory")
#pragma pop_macro("stbi_load_from_memory")
#pragma pop_macro("stbi_zlib_decode_malloc_guesssize_headerflag")
#pragma pop_macro("STB_IMAGE_IMPLEMENTATION")
#pragma pop_macro("STB_IMAGE_STATIC")
#pragma pop_macro("STBIDEF")
#pragma pop_macro("STBI_ASSERT")
#pragma pop_macro("STBI_MALLOC")
#pragma pop_macro("STBI_REALLOC")
#pragma pop_macro("STBI_REALLOC_SIZED")
#pragma pop_macro("STBI_FREE")
#pragma pop_macro("STBI_MAX_DIMENSIONS")
#pragma pop_macro("STBI_THREAD_LOCAL")
#pragma pop_macro("STBI_SIMD_ALIGN")
#pragma pop_macro("STBI_SUPPORT_ZLIB")
#pragma pop_macro("STBI_FAILURE_USERMSG")
#pragma pop_macro("STBI_ONLY_JPEG")
#pragma pop_macro("STBI_ONLY_PNG")
#pragma pop_macro("STBI_ONLY_BMP")
#pragma pop_macro("STBI_ONLY_GIF")
#pragma pop_macro("STBI_ONLY_HDR")
#pragma pop_macro("STBI_ONLY_PIC")
#pragma pop_macro("STBI_ONLY_PNM")
#pragma pop_macro("STBI_ONLY_PSD")
#pragma pop_macro("STBI_ONLY_TGA")
#pragma pop_macro("STBI_ONLY_ZLIB")
#pragma pop_macro("STBI_NO_JPEG")
#pragma pop_macro("STBI_NO_PNG")
#pragma pop_macro("STBI_NO_BMP")
#pragma pop_macro("STBI_NO_GIF")
#pragma pop_macro("STBI_NO_HDR")
#pragma pop_macro("STBI_NO_PIC")
#pragma pop_macro("STBI_NO_PNM")
#pragma pop_macro("STBI_NO_PSD")
#pragma pop_macro("STBI_NO_TGA")
#pragma pop_macro("STBI_NO_ZLIB")
#pragma pop_macro("STBI_NO_STDIO")
#pragma pop_macro("STBI_NO_LINEAR")
#pragma pop_macro("STBI_NO_FAILURE_STRINGS")
#pragma pop_macro("STBI_NO_THREAD_LOCALS")
