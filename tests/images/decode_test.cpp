// SPDX-License-Identifier: Apache-2.0
#include "homolog/images/decode.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include "homolog/images/encode.hpp"
#include "images/fixtures.hpp"
#include "support/sanitizer.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

/// The message of the ImageError decoding gives; empty when it gives a picture.
std::string refusal(std::string_view bytes, const DecodeLimits& limits = {}) {
  try {
    const Image image = decode_image(bytes, "some.picture", limits);
    CHECK(image.pixels.size() ==
          static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3);
    return {};
  } catch (const ImageError& error) {
    CHECK(std::string(error.what()).starts_with("some.picture: "));
    return error.what();
  }
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A PNG with a palette of two colours and one row of four indices, the last two beyond it.
std::string png_with_indices_beyond_palette() {
  // A stored deflate block of five bytes: filter type and indices. The decoder reads no Adler sum.
  const std::string data("\x78\x01\x01\x05\x00\xfa\xff\x00\x00\x01\x02\xff", 12);
  return png_header(4, 1, 3) + png_chunk("PLTE", "abcdef") + png_chunk("IDAT", data + "sum.") +
         png_chunk("IEND", "");
}

/// A PNG whose data inflates to about `bytes` zeros whatever its header announces.
std::string inflating_png(std::uint32_t width, std::uint32_t height, std::size_t bytes) {
  std::string data = "\x78\x01";
  unsigned buffer = 0;
  int bits = 0;
  const auto put = [&](unsigned value, int count) {  // least significant bit first
    buffer |= value << bits;
    for (bits += count; bits >= 8; bits -= 8, buffer >>= 8) data += static_cast<char>(buffer & 255);
  };
  put(3, 3);     // final block, fixed codes
  put(0x0c, 8);  // the literal 0: code 00110000, reversed
  for (std::size_t i = 0; i < bytes; i += 258) {
    put(0xa3, 8);  // length 258: code 11000101, reversed
    put(0, 5);     // distance 1
  }
  put(0, 7);  // end of block
  put(0, 7);
  return png_header(width, height) + png_chunk("IDAT", data + "sum.") + png_chunk("IEND", "");
}

std::string jpeg_with_insertion(const std::string& jpeg, const std::string& inserted) {
  return jpeg.substr(0, 2) + inserted + jpeg.substr(2);
}

}  // namespace

TEST_CASE("every kind of PNG decodes to the samples it was made of, alpha dropped") {
  for (const EncodedPicture& picture : encoded_pictures) {
    if (!std::string_view(picture.name).starts_with("png")) continue;
    CAPTURE(picture.name);
    const Image image = decode_image(encoded_picture(picture.name), picture.name);
    CHECK(image.size() == Size{17, 13});
    CHECK(picture_crc(image) == picture.crc);
  }
}

TEST_CASE("every kind of JPEG decodes to what libjpeg shows") {
  constexpr int places[4][2] = {{0, 0}, {16, 0}, {8, 6}, {3, 12}};
  for (const EncodedPicture& picture : encoded_pictures) {
    if (!std::string_view(picture.name).starts_with("jpeg")) continue;
    CAPTURE(picture.name);
    // Decoders differ in how they round and, where chroma has half the resolution, interpolate it.
    const int tolerance = std::string_view(picture.name) == "jpeg_progressive" ? 8 : 3;
    const Image image = decode_image(encoded_picture(picture.name), picture.name);
    CHECK(image.size() == Size{17, 13});
    for (int i = 0; i < 4; ++i) {
      for (int c = 0; c < 3; ++c) {
        CHECK(std::abs(image.at(places[i][0], places[i][1])[c] - picture.spots[i][c]) <= tolerance);
      }
    }
  }
}

TEST_CASE("every truncation of a picture is refused") {
  for (const EncodedPicture& picture : encoded_pictures) {
    const std::string bytes = encoded_picture(picture.name);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      CAPTURE(picture.name);
      CAPTURE(length);
      CHECK(!refusal(bytes.substr(0, length)).empty());
    }
  }
  CHECK(refusal("") == "some.picture: expected a JPEG or PNG picture, got an empty file");
}

TEST_CASE("every flipped bit of a PNG is noticed") {
  for (const char* name : {"png_rgb", "png_palette_alpha"}) {
    std::string bytes = encoded_picture(name);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      CAPTURE(bit);
      CHECK(!refusal(bytes).empty());
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    }
    CHECK(refusal(bytes).empty());
  }
}

TEST_CASE("every flipped bit of a JPEG gives an error, or one and the same picture twice") {
  DecodeLimits limits;
  limits.max_pixels = 1 << 16;  // a flipped size is refused instead of filling 64 megapixels
  for (const char* name : {"jpeg_rgb", "jpeg_progressive", "jpeg_restart", "jpeg_cmyk"}) {
    std::string bytes = encoded_picture(name);
    int decoded = 0, refused = 0;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      CAPTURE(name);
      CAPTURE(bit);
      if (refusal(bytes, limits).empty()) {
        ++decoded;
        const Image once = decode_image(bytes, name, limits);
        for (std::size_t size = 16; size < 100000; size *= 2) {
          // Freed at once, to be found by the next decoder.
          std::vector<unsigned char>(size, static_cast<unsigned char>(bit));
        }
        CHECK(once == decode_image(bytes, name, limits));
      } else {
        ++refused;
      }
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    }
    CHECK(decoded > 0);
    CHECK(refused > 0);
  }
}

TEST_CASE("the size gate names the limit and the size") {
  CHECK(refusal(png_header(100000, 100000)) ==
        "some.picture: expected sides of at most 16384 pixels, got 100000x100000");
  CHECK(refusal(png_header(16385, 1)) ==
        "some.picture: expected sides of at most 16384 pixels, got 16385x1");
  CHECK(refusal(png_header(1, 0xffffffffU)) ==
        "some.picture: expected sides of at most 16384 pixels, got 1x4294967295");
  CHECK(refusal(png_header(16384, 16384)) ==
        "some.picture: expected at most 64000000 pixels, got 16384x16384 = 268435456");
  for (const auto& [width, height] : {std::pair{0U, 5U}, {5U, 0U}, {0U, 0U}}) {
    CHECK(contains(refusal(png_header(width, height)), "expected a PNG header"));
  }
  std::string jpeg = encoded_picture("jpeg_rgb");
  const std::size_t frame = jpeg.find("\xff\xc0");
  REQUIRE(frame != std::string::npos);
  std::string wide = jpeg;
  wide.replace(frame + 5, 4, "\xff\xff\xff\xff");
  CHECK(refusal(wide) == "some.picture: expected sides of at most 16384 pixels, got 65535x65535");
  wide.replace(frame + 5, 4, std::string("\0\x05\0\0", 4));
  CHECK(contains(refusal(wide), "expected a JPEG header"));
}

TEST_CASE("a picture of exactly the cap is decoded and one more row is refused") {
  DecodeLimits limits;
  limits.max_pixels = 8 * 6;
  CHECK(refusal(encode_png(Image(8, 6)), limits).empty());
  CHECK(refusal(encode_png(Image(8, 7)), limits) ==
        "some.picture: expected at most 48 pixels, got 8x7 = 56");
  CHECK(refusal(encode_jpeg(Image(8, 6), 90), limits).empty());
  CHECK(!refusal(encode_jpeg(Image(8, 7), 90), limits).empty());

  const TemporaryFolder folder;
  write_file(folder.path / "at.png", png_header(8000, 8000) + png_chunk("IDAT", "."));
  write_file(folder.path / "above.png", png_header(8000, 8001) + png_chunk("IDAT", "."));
  CHECK(read_image_size(folder.path / "at.png") == Size{8000, 8000});
  CHECK_THROWS_AS(read_image_size(folder.path / "above.png"), ImageError);
}

TEST_CASE("other formats under a picture's name are refused by what they are") {
  const TemporaryFolder folder;
  const auto path = folder.path / "renamed.png";
  const std::pair<std::string, const char*> others[] = {
      {std::string("GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;", 30), "got GIF"},
      {"BM" + std::string(60, '\0'), "got BMP"},
      {std::string("II*\0\x08\0\0\0", 8), "got TIFF"},
      {std::string("RIFF\x10\0\0\0WEBPVP8 ", 16), "got WebP"},
      {"<!DOCTYPE html><html>not found</html>", "got a web page"},
      {"P6\n1 1\n255\nabc", "got bytes that start with 50 36 0a 31"},
      {"no picture", "got bytes that start with 6e 6f 20 70"}};
  for (const auto& [bytes, got] : others) {
    write_file(path, bytes);
    const std::string expected = path.string() + ": expected a JPEG or PNG picture, " + got;
    CHECK_THROWS_WITH_AS(load_image(path), expected.c_str(), ImageError);
    CHECK_THROWS_WITH_AS(read_image_size(path), expected.c_str(), ImageError);
  }
}

TEST_CASE("files that cannot be read, or are too long, are file errors") {
  const TemporaryFolder folder;
  DecodeLimits limits;
  limits.max_file_bytes = 100;
  CHECK_THROWS_AS(load_image(folder.path / "absent.png"), FileError);
  CHECK_THROWS_AS(load_image(folder.path), FileError);
  CHECK_THROWS_AS(read_image_size(folder.path / "absent.png"), FileError);
  for (const std::size_t length : {std::size_t{101}, std::size_t{1} << 17}) {
    write_file(folder.path / "long.png", encode_png(Image(2, 2)) + std::string(length, ' '));
    CHECK_THROWS_AS(load_image(folder.path / "long.png", limits), FileError);
    CHECK_THROWS_AS(read_image_size(folder.path / "long.png", limits), FileError);
  }
  CHECK(contains(refusal(encoded_picture("png_rgb"), limits), "at most 100 compressed bytes"));
}

TEST_CASE("a PNG's chunks are checked, and what it may carry does no harm") {
  const std::string png = encoded_picture("png_rgb");
  const Image picture = decode_image(png, "plain");
  const auto with = [&](const std::string& chunk) {
    return png.substr(0, 33) + chunk + png.substr(33);
  };
  const std::string text = png_chunk("tEXt", "Comment" + std::string(std::size_t{8} << 20, 'x'));
  CHECK(decode_image(with(text), "huge text") == picture);
  CHECK(decode_image(png + std::string(1000, '\xff'), "trailing bytes") == picture);
  CHECK(contains(refusal(with(big_endian(0xffffffffU) + "tEXt")), "announces 4294967295 bytes"));
  CHECK(contains(refusal(with(png_chunk("ABCD", "data"))), "as required chunks"));
  CHECK(contains(refusal(with(png.substr(8, 25))), "IHDR as first chunk"));
  CHECK(contains(refusal(png_signature + png_chunk("CgBI", "1234") + png.substr(8)),
                 "header with a size"));
  CHECK(contains(refusal(png_header(2, 2) + png_chunk("IEND", "")), "no IDAT"));
  CHECK(contains(refusal(png_header(200, 200) + png.substr(33)), "not enough pixels"));
  CHECK(contains(refusal(png.substr(0, 32)), "header with a size"));
  // The size is asked of the header alone, whatever stands behind it.
  const TemporaryFolder folder;
  write_file(folder.path / "damaged.png", with(png_chunk("ABCD", "data")));
  CHECK(read_image_size(folder.path / "damaged.png") == Size{17, 13});
}

TEST_CASE("an index beyond the palette is black, whatever memory held before") {
  const Image image = decode_image(png_with_indices_beyond_palette(), "palette");
  const std::vector<std::uint8_t> expected{'a', 'b', 'c', 'd', 'e', 'f', 0, 0, 0, 0, 0, 0};
  CHECK(image.pixels == expected);
}

TEST_CASE("data that inflates far beyond the announced size is refused") {
  CHECK(refusal(inflating_png(100, 100, 301 * 100)).empty());
  CHECK(contains(refusal(inflating_png(1, 1, std::size_t{64} << 20)), "outofmem"));
}

TEST_CASE("a JPEG's markers are checked, and what it may carry does no harm") {
  const std::string jpeg = encoded_picture("jpeg_rgb");
  const Image picture = decode_image(jpeg, "plain");
  CHECK(decode_image(jpeg + "preview\xff\xd8\xff\xd9", "trailing bytes") == picture);
  const std::string preview =
      std::string("\xff\xe1\x01\x02", 4) + jpeg.substr(0, 200) + std::string(56, '\xd9');
  CHECK(decode_image(jpeg_with_insertion(jpeg, preview), "preview") == picture);

  const std::size_t frame = jpeg.find("\xff\xc0"), scan = jpeg.find("\xff\xda");
  REQUIRE(frame != std::string::npos);
  REQUIRE(scan != std::string::npos);
  CHECK(contains(refusal(jpeg.substr(0, scan) + "\xff\xd9"), "expected picture data"));
  // A scan of the first channel alone leaves the others without data.
  const std::string one_channel = std::string("\xff\xda\0\x08\x01\x01\0\0\x3f\0", 10);
  CHECK(contains(refusal(jpeg.substr(0, scan) + one_channel + jpeg.substr(scan + 14)),
                 "expected a scan of every channel"));
  const std::string frame_header = jpeg.substr(frame, 19);
  CHECK(contains(refusal(jpeg.substr(0, scan) + frame_header + jpeg.substr(scan)), "got two"));
  std::string arithmetic = jpeg;
  arithmetic[frame + 1] = '\xc9';
  CHECK(!refusal(arithmetic).empty());
  std::string scans;
  for (int i = 0; i < 501; ++i) scans += jpeg.substr(scan, 14);
  CHECK(contains(refusal(jpeg.substr(0, scan) + scans + jpeg.substr(scan)), "at most 500 scans"));
}

TEST_CASE("Huffman tables the decoder could not hold are refused before it sees them") {
  const std::string jpeg = encoded_picture("jpeg_rgb");
  const auto with_table = [&](char kind, char codes_a_length, std::size_t symbols, char symbol) {
    const std::string content =
        kind + std::string(16, codes_a_length) + std::string(symbols, symbol);
    const auto length = static_cast<std::uint32_t>(content.size() + 2);
    return jpeg_with_insertion(jpeg, "\xff\xc4" + big_endian(length).substr(2) + content);
  };
  constexpr char means = 0x03, others = 0x13;  // table 3, which the picture does not use
  CHECK(!contains(refusal(with_table(others, 1, 16, '\x7f')), "Huffman tables"));
  CHECK(!contains(refusal(with_table(means, 1, 16, 15)), "Huffman tables"));
  for (const std::string& bytes :
       {with_table(others, 16, 256, 0), with_table(others, '\xff', 4080, 0),
        with_table(means, 17, 272, 0), with_table(means, 1, 16, 16), with_table(others, 1, 15, 0),
        with_table(others, 1, 17, 0)}) {
    CHECK(contains(refusal(bytes), "expected whole Huffman tables of at most 255 codes"));
  }
  CHECK(contains(refusal(jpeg_with_insertion(jpeg, std::string("\xff\xe1\0\1", 4))),
                 "expected a segment of at least 2 bytes"));
}

TEST_CASE("CMYK without Adobe's statement of its meaning is refused by name") {
  std::string jpeg = encoded_picture("jpeg_cmyk");
  const std::size_t adobe = jpeg.find("Adobe");
  REQUIRE(adobe != std::string::npos);
  jpeg[adobe] = 'a';
  CHECK(refusal(jpeg) ==
        "some.picture: expected a grey, RGB or Adobe CMYK JPEG, got four channels without an "
        "Adobe segment that names their colour space");
}

TEST_CASE("the header gives the size even behind long previews") {
  const TemporaryFolder folder;
  const auto path = folder.path / "picture";
  for (const EncodedPicture& picture : encoded_pictures) {
    write_file(path, encoded_picture(picture.name) + std::string(100000, ' '));
    CHECK(read_image_size(path) == Size{17, 13});
  }
  const std::string segment = std::string("\xff\xe1\xff\xff", 4) + std::string(65533, 'p');
  write_file(path, jpeg_with_insertion(encoded_picture("jpeg_rgb"), segment + segment));
  CHECK(read_image_size(path) == Size{17, 13});
  CHECK(load_image(path).size() == Size{17, 13});
}

TEST_CASE("threads decode at the same time without disturbing one another") {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([t, &wrong] {
      for (int round = 0; round < 20; ++round) {
        for (const EncodedPicture& picture : encoded_pictures) {
          const std::string bytes = encoded_picture(picture.name);
          if (std::string_view(picture.name).starts_with("png")) {
            wrong[t] += picture_crc(decode_image(bytes, "a")) != picture.crc;
          }
          try {
            decode_image(bytes.substr(0, bytes.size() / 2), "half");
            ++wrong[t];
          } catch (const ImageError&) {
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(std::count(wrong.begin(), wrong.end(), 0) == 4);
}

constexpr bool memory_can_be_limited = !address_sanitizer && !thread_sanitizer;

TEST_CASE("a refusal by the header takes less than 16 MiB") {
  if (!memory_can_be_limited) return skip("no address space limit under a sanitizer");
  std::string wide = encoded_picture("jpeg_rgb");
  wide.replace(wide.find("\xff\xc0") + 5, 4, std::string("\x40\0\x40\0", 4));
  for (const std::string& bytes :
       {png_header(16384, 16384), png_header(100000, 100000), png_header(8000, 8001), wide}) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      long pages = 0;
      std::ifstream("/proc/self/statm") >> pages;
      const rlim_t limit =
          static_cast<rlim_t>(pages * ::sysconf(_SC_PAGESIZE)) + (rlim_t{16} << 20);
      const rlimit both{limit, limit};
      if (pages == 0 || ::setrlimit(RLIMIT_AS, &both) != 0) ::_exit(2);
      try {
        decode_image(bytes, "large");
        ::_exit(1);
      } catch (const ImageError& error) {
        ::_exit(contains(error.what(), "outofmem") ? 1 : 0);
      } catch (...) {
        ::_exit(1);
      }
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
}

TEST_CASE("the pictures of PF-WILLOW decode to the size their header announces") {
  const auto root = test_data() / "PF-dataset-WILLOW";
  if (!std::filesystem::exists(root)) return skip("no PF-dataset-WILLOW among the test data");
  int pictures = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".png") continue;
    CHECK(load_image(entry.path()).size() == read_image_size(entry.path()));
    ++pictures;
  }
  CHECK(pictures == 100);
}
