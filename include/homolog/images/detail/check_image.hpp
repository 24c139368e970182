// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The check every function that reads pixels makes first.

#include <cstddef>

#include "homolog/core/errors.hpp"
#include "homolog/images/image.hpp"

namespace homolog::inline v0_1::detail {

/// Checks that a picture is not empty and that its pixels are those of its size.
///
/// @param user the function named in the error
/// @throws ShapeError
inline void check_image(const Image& image, const char* user) {
  const bool sized = image.width > 0 && image.height > 0 &&
                     image.pixels.size() == static_cast<std::size_t>(image.width) *
                                                static_cast<std::size_t>(image.height) * 3;
  if (!sized) {
    throw ShapeError(text(user, ": expected height * width * 3 bytes of a picture that is not ",
                          "empty, got ", image.pixels.size(), " bytes for ", image.width, "x",
                          image.height));
  }
}

}  // namespace homolog::inline v0_1::detail
