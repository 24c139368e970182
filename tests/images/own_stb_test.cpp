// SPDX-License-Identifier: Apache-2.0
// A program that carries stb copies of its own, with settings of its own, before and after
// homolog's headers.
#include <doctest/doctest.h>

#define STB_IMAGE_IMPLEMENTATION
#define STBI_NO_PNG
#define STBI_MAX_DIMENSIONS 64
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb_image.h>

#include "homolog/images/decode.hpp"
#include "homolog/images/encode.hpp"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#if STBI_MAX_DIMENSIONS != 64 || !defined(STBI_NO_PNG) || defined(STBI_NO_BMP) || \
    defined(STBI_NO_STDIO) || defined(STBI_WRITE_NO_STDIO)
#error "homolog changed the settings of another stb copy"
#endif

TEST_CASE("homolog's decoder and a program's own stb_image do not disturb one another") {
  const homolog::Image picture(100, 5);
  const std::string png = homolog::encode_png(picture);
  int width = 0, height = 0, channels = 0;
  const auto decode = [&](const std::string& bytes) {
    return stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()),
                                 static_cast<int>(bytes.size()), &width, &height, &channels, 3);
  };
  CHECK(decode(png) == nullptr);  // the program's copy was built without PNG
  CHECK(homolog::decode_image(png, "picture") == picture);

  stbi_set_flip_vertically_on_load(1);
  stbi_flip_vertically_on_write(1);
  homolog::Image rows(2, 2);
  rows.at(0, 0)[0] = 200;
  CHECK(homolog::decode_image(homolog::encode_png(rows), "rows") == rows);
  stbi_set_flip_vertically_on_load(0);
  stbi_flip_vertically_on_write(0);

  std::string bmp;
  const auto append = [](void* context, void* data, int size) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(data),
                                               static_cast<std::size_t>(size));
  };
  REQUIRE(stbi_write_bmp_to_func(append, &bmp, 2, 2, 3, rows.pixels.data()) != 0);
  stbi_uc* pixels = decode(bmp);
  REQUIRE(pixels != nullptr);
  CHECK(pixels[0] == 200);
  stbi_image_free(pixels);
  CHECK_THROWS_AS(homolog::decode_image(bmp, "bmp"), homolog::ImageError);
}
