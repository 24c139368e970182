// SPDX-License-Identifier: Apache-2.0
#include "homolog/images/encode.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "homolog/images/decode.hpp"
#include "images/fixtures.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

TEST_CASE("PNG gives back the same pixels, and the same bytes each time") {
  const Size sizes[] = {{1, 1}, {1, 70}, {70, 1}, {17, 13}, {64, 64}, {300, 200}};
  std::uint32_t seed = 1;
  for (const Size size : sizes) {
    for (const Image& image :
         {generated_picture(size.width, size.height, seed++),
          smooth_picture(size.width, size.height), Image(size.width, size.height)}) {
      const std::string bytes = encode_png(image);
      CHECK(decode_image(bytes, "round trip") == image);
      CHECK(encode_png(image) == bytes);
    }
  }
}

TEST_CASE("JPEG gives back nearly the same pixels, nearer with higher quality") {
  const Image image = smooth_picture(120, 90);
  const auto worst = [&](int quality) {
    const Image back = decode_image(encode_jpeg(image, quality), "round trip");
    REQUIRE(back.size() == image.size());
    int difference = 0;
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      difference = std::max(difference, std::abs(image.pixels[i] - back.pixels[i]));
    }
    return difference;
  };
  CHECK(worst(100) <= 3);
  CHECK(worst(90) <= 12);
  CHECK(worst(5) > worst(100));
  CHECK(encode_jpeg(image, 20).size() < encode_jpeg(image, 95).size());
  CHECK(decode_image(encode_jpeg(Image(1, 1), 50), "one pixel").size() == Size{1, 1});
}

TEST_CASE("the extension chooses the format") {
  const TemporaryFolder folder;
  const Image image = smooth_picture(40, 30);
  for (const char* name : {"a.png", "b.PNG"}) {
    save_image(folder.path / name, image);
    CHECK(load_image(folder.path / name) == image);
  }
  for (const char* name : {"a.jpg", "b.jpeg", "c.JPG"}) {
    save_image(folder.path / name, image);
    CHECK(read_file(folder.path / name).starts_with("\xff\xd8\xff"));
    CHECK(load_image(folder.path / name).size() == image.size());
  }
}

TEST_CASE("a failed write leaves the file as it was and nothing beside it") {
  const TemporaryFolder folder;
  const auto path = folder.path / "kept.png";
  save_image(path, Image(3, 2));
  const std::string before = read_file(path);
  Image broken(3, 2);
  broken.pixels.pop_back();
  CHECK_THROWS_AS(save_image(path, broken), ShapeError);
  CHECK_THROWS_AS(save_image(path, Image{}), ShapeError);
  const std::string expected = (folder.path / "kept.gif").string() +
                               ": expected a name in .png, .jpg or .jpeg, got \".gif\"";
  CHECK_THROWS_WITH_AS(save_image(folder.path / "kept.gif", Image(3, 2)), expected.c_str(),
                       ImageError);
  CHECK_THROWS_AS(save_image(folder.path / "kept", Image(3, 2)), ImageError);
  CHECK_THROWS_AS(save_image(folder.path / "absent" / "a.png", Image(3, 2)), FileError);
  CHECK(read_file(path) == before);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path),
                      std::filesystem::directory_iterator()) == 1);
}

TEST_CASE("pictures the encoders cannot hold, and qualities out of range, are refused") {
  for (const int quality : {-1, 0, 101}) {
    CHECK_THROWS_AS(encode_jpeg(Image(2, 2), quality), SettingError);
  }
  CHECK_THROWS_AS(encode_png(Image(65536, 1)), ImageError);
  CHECK_THROWS_AS(encode_jpeg(Image(1, 65536), 90), ImageError);
  Image negative;
  negative.width = -1;
  negative.height = -1;
  negative.pixels.resize(3);
  CHECK_THROWS_AS(encode_png(negative), ShapeError);
}
