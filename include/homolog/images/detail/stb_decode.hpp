// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Headers and pixels of JPEG and PNG by stb_image.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "homolog/images/detail/own_stb_image.hpp"
#include "homolog/images/image.hpp"

namespace homolog::inline v0_1::detail {

/// What stb_image reads in a picture's header; `reason` is empty on success.
struct StbHeader {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::string reason;
};

/// Sets stb_image's largest block for the length of a scope.
struct StbAllocationScope {
  explicit StbAllocationScope(std::size_t limit) { stb_decoder::allocation_limit = limit; }
  ~StbAllocationScope() { stb_decoder::allocation_limit = 0; }
  StbAllocationScope(const StbAllocationScope&) = delete;
  StbAllocationScope& operator=(const StbAllocationScope&) = delete;
};

/// Reads a header without decoding pixels. `bytes` must be shorter than 2^31.
inline StbHeader stb_read_header(std::string_view bytes) {
  const StbAllocationScope scope(std::size_t{1} << 20);
  StbHeader header;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  if (stb_decoder::homolog_stbi_info_from_memory(data, static_cast<int>(bytes.size()),
                                                 &header.width, &header.height,
                                                 &header.channels) == 0) {
    header.reason = stb_decoder::homolog_stbi_failure_reason();
  }
  return header;
}

/// Decodes to RGB. `bytes` must be shorter than 2^31.
///
/// @param limit [bytes] the largest block of memory that may be taken
/// @param picture receives the pixels when the decoded size is the one it already has
/// @returns the reason of a failure, empty on success
inline std::string stb_decode(std::string_view bytes, std::size_t limit, Image& picture) {
  const StbAllocationScope scope(limit);
  int width = 0, height = 0, channels = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  try {
    const std::unique_ptr<unsigned char, void (*)(void*)> pixels(
        stb_decoder::homolog_stbi_load_from_memory(data, static_cast<int>(bytes.size()), &width,
                                                   &height, &channels, 3),
        free);
    if (!pixels) return stb_decoder::homolog_stbi_failure_reason();
    if (Size{width, height} != picture.size()) {
      return "decoded to " + std::to_string(width) + "x" + std::to_string(height);
    }
    const std::size_t count =
        static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
    picture.pixels.assign(pixels.get(), pixels.get() + count);
    return {};
  } catch (const std::logic_error& error) {
    return error.what();
  }
}

}  // namespace homolog::inline v0_1::detail
