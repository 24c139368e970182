# SPDX-License-Identifier: Apache-2.0
"""Prints the reference tables of the image tests, made with Pillow 13.0.0 and NumPy.

    python pillow_reference.py resize   > resize_reference.hpp
    python pillow_reference.py pictures > encoded_pictures.hpp

Only needed to make the tables again; the tests themselves read the committed headers.
"""

import io
import random
import struct
import sys
import zlib

import numpy
import PIL
from PIL import Image

HEADER = """// SPDX-License-Identifier: Apache-2.0
// Made by pillow_reference.py with Pillow {}.
#pragma once
"""


def generated_picture(width, height, seed):
    """High bytes of the generator s <- 1664525 s + 1013904223 (mod 2^32), started at `seed`."""
    count = width * height * 3
    factor = numpy.empty(count, numpy.uint64)
    term = numpy.empty(count, numpy.uint64)
    factor[0], term[0], done = 1664525, 1013904223, 1
    while done < count:  # composes the first `done` steps with themselves
        more = min(done, count - done)
        factor[done:done + more] = factor[:more] * factor[done - 1] % 2**32
        term[done:done + more] = (factor[:more] * term[done - 1] + term[:more]) % 2**32
        done += more
    states = (factor * numpy.uint64(seed) + term) % 2**32
    return (states >> numpy.uint64(24)).astype(numpy.uint8).reshape(height, width, 3)


def resize_shapes():
    """Fixed shapes first, then seeded ones: both directions, one-pixel sides, extreme aspects."""
    shapes = [
        (300, 200, 224, 224), (200, 300, 224, 224), (300, 225, 518, 389), (204, 300, 224, 224),
        (64, 48, 64, 24), (64, 48, 32, 48), (64, 48, 64, 96), (64, 48, 128, 48),  # one axis
        (1, 1, 7, 5), (1, 1, 1, 9), (9, 7, 1, 1), (1, 40, 13, 1), (40, 1, 1, 13), (2, 2, 3, 3),
        (3, 2, 2, 3), (1, 500, 20, 20), (500, 1, 20, 20), (3, 700, 9, 5), (700, 3, 5, 9),
        (50, 50, 40, 30), (50, 50, 40, 29), (50, 52, 49, 50), (50, 53, 49, 50),  # pass order
        (21, 64, 21, 64), (22, 22, 44, 44), (44, 44, 22, 22), (21, 9, 200, 3), (10, 10, 11, 9),
    ]
    chance = random.Random(13)
    while len(shapes) < 72:
        limit = chance.choice([12, 60, 200])
        shapes.append(tuple(chance.randint(1, limit) for _ in range(4)))
    return shapes


def print_resize():
    print(HEADER.format(PIL.__version__))
    print("""#include <cstdint>

namespace homolog::test {

/// Picture size, result size, generator seed, CRC-32 of the result's bytes.
struct ResizeReference {
  int width, height, new_width, new_height;
  std::uint32_t seed, bicubic, bilinear;
  std::uint32_t horizontal_first;  ///< bicubic, as two resizes of one axis each
};

// clang-format off
inline constexpr ResizeReference resize_references[] = {""")
    for seed, (width, height, new_width, new_height) in enumerate(resize_shapes(), start=1):
        picture = Image.fromarray(generated_picture(width, height, seed))
        size = (new_width, new_height)
        results = [picture.resize(size, Image.BICUBIC), picture.resize(size, Image.BILINEAR),
                   picture.resize((new_width, height), Image.BICUBIC).resize(size, Image.BICUBIC)]
        sums = ", ".join(f"0x{zlib.crc32(result.tobytes()):08x}" for result in results)
        print(f"    {{{width}, {height}, {new_width}, {new_height}, {seed}, {sums}}},")
    print("};\n// clang-format on\n\n}  // namespace homolog::test")


def png(width, height, depth, colour, samples, extra=b"", interlaced=False):
    """A PNG of integer samples [height, width, channels], each row unfiltered."""
    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    def rows(part):
        data = b""
        for row in part:
            bits = "".join(f"{int(value):0{depth}b}" for value in row.reshape(-1))
            bits += "0" * (-len(bits) % 8)
            data += b"\0" + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        return data

    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                  (1, 0, 2, 2), (0, 1, 1, 2)]
        parts = [samples[y::step_y, x::step_x] for x, y, step_x, step_y in passes]
        data = b"".join(rows(part) for part in parts if part.size)
    else:
        data = rows(samples)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra
            + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def palette_chunks(colours, alphas=None):
    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check
    chunks = chunk(b"PLTE", bytes(value for colour in colours for value in colour))
    return chunks + (chunk(b"tRNS", bytes(alphas)) if alphas else b"")


def pictures():
    """Name, bytes and expected RGB array of each encoded picture."""
    width, height = 17, 13
    y, x = numpy.mgrid[0:height, 0:width]
    rgb = numpy.stack([12 * x + 20, 15 * y + 10, 200 - 6 * x - 5 * y], axis=2).astype(numpy.uint8)
    grey = rgb[:, :, :1]
    alpha = (17 * x[:, :, None] % 256).astype(numpy.uint8)
    noise16 = (generated_picture(width, height, 5).astype(numpy.uint32) * 257 + 90) % 65536

    def three(values):
        return numpy.repeat(values, 3, axis=2).astype(numpy.uint8)

    yield "png_rgb", png(width, height, 8, 2, rgb), rgb
    yield "png_rgb_interlaced", png(width, height, 8, 2, rgb, interlaced=True), rgb
    yield "png_rgb_16_bit", png(width, height, 16, 2, noise16), (noise16 >> 8).astype(numpy.uint8)
    yield "png_rgba", png(width, height, 8, 6, numpy.concatenate([rgb, alpha], axis=2)), rgb
    yield "png_grey", png(width, height, 8, 0, grey), three(grey)
    with_alpha = numpy.concatenate([grey, alpha], axis=2)
    yield "png_grey_alpha", png(width, height, 8, 4, with_alpha), three(grey)
    grey16 = noise16[:, :, :1]
    yield "png_grey_16_bit", png(width, height, 16, 0, grey16), three(grey16 >> 8)
    bit = ((x + y) % 3 == 0).astype(numpy.uint8)[:, :, None]
    yield "png_grey_1_bit", png(width, height, 1, 0, bit), three(bit * 255)
    colours = numpy.array([[10, 200, 30], [250, 5, 128], [77, 78, 79], [0, 0, 255], [9, 8, 7]])
    index = ((x * y) % 5)[:, :, None]
    shown = colours[index[:, :, 0]].astype(numpy.uint8)
    yield "png_palette", png(width, height, 4, 3, index, palette_chunks(colours.tolist())), shown
    yield ("png_palette_alpha",
           png(width, height, 8, 3, index, palette_chunks(colours.tolist(), [0, 255, 128])), shown)

    def jpeg(picture, **options):
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=95, **options)
        data = stream.getvalue()
        return data, numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    yield "jpeg_rgb", *jpeg(Image.fromarray(rgb), subsampling=0)
    yield "jpeg_progressive", *jpeg(Image.fromarray(rgb), subsampling=2, progressive=True)
    yield "jpeg_restart", *jpeg(Image.fromarray(rgb), subsampling=0, restart_marker_blocks=1)
    yield "jpeg_grey", *jpeg(Image.fromarray(grey[:, :, 0]))
    cmyk = numpy.stack([10 * x, 15 * y, 100 + 0 * x, 9 * x], axis=2).astype(numpy.uint8)
    cmyk = Image.frombytes("CMYK", (width, height), cmyk.tobytes())
    yield "jpeg_cmyk", *jpeg(cmyk, subsampling=0)


def print_pictures():
    print(HEADER.format(PIL.__version__))
    print("""#include <cstdint>
#include <string_view>

namespace homolog::test {

/// An encoded picture of 17x13 pixels as hexadecimal digits, and what Pillow (JPEG) or its own
/// samples (PNG, alpha dropped, upper byte of 16 bits) say it shows.
struct EncodedPicture {
  const char* name;
  std::string_view hexadecimal;
  std::uint32_t crc;              ///< CRC-32 of the RGB bytes
  std::uint8_t spots[4][3];       ///< RGB at (0, 0), (16, 0), (8, 6), (3, 12)
};

// clang-format off
inline constexpr EncodedPicture encoded_pictures[] = {""")
    for name, data, expected in pictures():
        if name.startswith("png") and "16_bit" not in name:  # a second opinion on the writer above
            seen = numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
            assert (seen == expected).all(), name
        print(f'    {{"{name}",')
        digits = data.hex()
        for start in range(0, len(digits), 88):
            print(f'     "{digits[start:start + 88]}"')
        spots = ", ".join("{" + ", ".join(str(v) for v in expected[y, x]) + "}"
                          for x, y in [(0, 0), (16, 0), (8, 6), (3, 12)])
        print(f"     , 0x{zlib.crc32(expected.tobytes()):08x}, {{{spots}}}}},")
    print("};\n// clang-format on\n\n}  // namespace homolog::test")


if __name__ == "__main__":
    if sys.argv[1:] not in (["resize"], ["pictures"]):
        sys.exit(__doc__)
    if PIL.__version__ != "13.0.0":
        sys.exit(f"Pillow 13.0.0 is needed, this is {PIL.__version__}")
    print_resize() if sys.argv[1] == "resize" else print_pictures()
