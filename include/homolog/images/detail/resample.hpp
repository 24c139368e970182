// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Weights and passes of the antialiased uint8 resize, in the fixed-point arithmetic of Pillow.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "homolog/images/image.hpp"

// The instruction set is chosen at run time; other compilers and machines take the portable path.
#if defined(__GNUC__) && defined(__x86_64__)
#define HOMOLOG_RESAMPLE_AVX2
#endif

namespace homolog::inline v0_1::detail {

/// Fraction bits of a weight: 8 bits of pixel and 2 of headroom leave 22 of an int32.
inline constexpr int resample_bits = 22;

/// For each output position of one axis: the first input position, how many, and their weights.
struct ResampleAxis {
  struct Taps {
    int first = 0;
    int count = 0;
  };
  int stride = 0;                     ///< weights kept for each output position
  std::vector<Taps> taps;             ///< [out]
  std::vector<std::int32_t> weights;  ///< [out, stride], 2^22 is one
};

/// Cubic convolution kernel with A = -0.5, zero outside (-2, 2).
inline double cubic_kernel(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/// Triangle kernel, zero outside (-1, 1).
inline double triangle_kernel(double x) {
  x = std::abs(x);
  return x < 1 ? 1 - x : 0;
}

/// Weights of one axis; the kernel is widened by the scale when the axis shrinks.
///
/// @param in, out [px] positive lengths
/// @param support half the kernel's width at scale 1
template <class Kernel>
ResampleAxis make_resample_axis(int in, int out, double support, Kernel kernel) {
  const double scale = static_cast<double>(in) / out;
  const double widening = (std::max)(scale, 1.0);
  const double reach = support * widening;
  ResampleAxis axis;
  axis.stride = static_cast<int>(std::ceil(reach)) * 2 + 1;
  axis.taps.resize(static_cast<std::size_t>(out));
  axis.weights.resize(static_cast<std::size_t>(out) * static_cast<std::size_t>(axis.stride));
  std::vector<double> exact(static_cast<std::size_t>(axis.stride));
  for (int i = 0; i < out; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = (std::max)(static_cast<int>(centre - reach + 0.5), 0);
    const int count = (std::min)(static_cast<int>(centre + reach + 0.5), in) - first;
    double sum = 0;
    for (int k = 0; k < count; ++k) {
      const double weight = kernel((k + first - centre + 0.5) * (1.0 / widening));
      exact[static_cast<std::size_t>(k)] = weight;
      sum += weight;
    }
    const auto row = static_cast<std::size_t>(i);
    std::int32_t* weights = axis.weights.data() + row * static_cast<std::size_t>(axis.stride);
    for (int k = 0; k < count; ++k) {
      double weight = exact[static_cast<std::size_t>(k)];
      if (sum != 0.0) weight /= sum;
      weight *= 1 << resample_bits;
      weights[k] = static_cast<std::int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    axis.taps[row] = {first, count};
  }
  return axis;
}

#if defined(__GNUC__)
#define HOMOLOG_RESAMPLE_INLINE [[gnu::always_inline]] inline
#else
#define HOMOLOG_RESAMPLE_INLINE inline
#endif

/// Weighted sums of `Lanes` neighbouring bytes over taps `step` bytes apart, rounded and clipped.
/// Both passes are made of this one loop; its lanes are what a compiler turns into vectors.
template <int Lanes>
HOMOLOG_RESAMPLE_INLINE void weigh(const std::uint8_t* in, std::ptrdiff_t step,
                                   const std::int32_t* weights, int count, std::uint8_t* out) {
  std::int32_t sums[static_cast<std::size_t>(Lanes)];
  for (int i = 0; i < Lanes; ++i) sums[i] = 1 << (resample_bits - 1);
  for (int k = 0; k < count; ++k, in += step) {
    const std::int32_t weight = weights[k];
    for (int i = 0; i < Lanes; ++i) sums[i] += in[i] * weight;
  }
  for (int i = 0; i < Lanes; ++i) {
    out[i] = static_cast<std::uint8_t>(std::clamp(sums[i] >> resample_bits, 0, 255));
  }
}

/// Resizes along x and converts to RGB; `in` and `out` have the same height.
HOMOLOG_RESAMPLE_INLINE void resample_rows(const ImageView& in, const ResampleAxis& axis,
                                           Image& out) {
  // Eight rows are laid side by side, so that a tap is one run of 24 bytes.
  constexpr int rows = 8, lanes = 3 * rows;
  const PixelLayout layout = layout_of(in.format);
  std::vector<std::uint8_t> block(static_cast<std::size_t>(in.width) * lanes);
  for (int y = 0; y < in.height; y += rows) {
    const int present = (std::min)(rows, in.height - y);
    for (int r = 0; r < present; ++r) {
      const std::uint8_t* pixel = in.at(0, y + r);
      std::uint8_t* to = block.data() + 3 * r;
      for (int x = 0; x < in.width; ++x, pixel += layout.bytes, to += lanes) {
        to[0] = pixel[layout.red];
        to[1] = pixel[layout.green];
        to[2] = pixel[layout.blue];
      }
    }
    const std::int32_t* weights = axis.weights.data();
    for (int x = 0; x < out.width; ++x, weights += axis.stride) {
      const auto [first, count] = axis.taps[static_cast<std::size_t>(x)];
      std::uint8_t result[lanes];
      weigh<lanes>(block.data() + static_cast<std::ptrdiff_t>(first) * lanes, lanes, weights, count,
                   result);
      for (int r = 0; r < present; ++r) {
        std::uint8_t* pixel = out.at(x, y + r);
        pixel[0] = result[3 * r];
        pixel[1] = result[3 * r + 1];
        pixel[2] = result[3 * r + 2];
      }
    }
  }
}

/// Resizes along y.
///
/// @param out receives rows of `row_bytes` bytes, those of the pixels of a row of `in`
HOMOLOG_RESAMPLE_INLINE void resample_columns(const ImageView& in, std::ptrdiff_t row_bytes,
                                              const ResampleAxis& axis, std::uint8_t* out) {
  constexpr std::ptrdiff_t lanes = 64;
  const std::int32_t* weights = axis.weights.data();
  for (const auto [first, count] : axis.taps) {
    const std::uint8_t* from = in.at(0, first);
    if (row_bytes < lanes) {
      for (std::ptrdiff_t i = 0; i < row_bytes; ++i) {
        weigh<1>(from + i, in.row_bytes, weights, count, out + i);
      }
    } else {
      for (std::ptrdiff_t i = 0; i < row_bytes; i += lanes) {
        const std::ptrdiff_t start = (std::min)(i, row_bytes - lanes);  // the last block overlaps
        weigh<lanes>(from + start, in.row_bytes, weights, count, out + start);
      }
    }
    weights += axis.stride;
    out += row_bytes;
  }
}

#if defined(HOMOLOG_RESAMPLE_AVX2)
[[gnu::target("avx2")]] inline void resample_rows_avx2(const ImageView& in,
                                                       const ResampleAxis& axis, Image& out) {
  resample_rows(in, axis, out);
}
[[gnu::target("avx2")]] inline void resample_columns_avx2(const ImageView& in,
                                                          std::ptrdiff_t row_bytes,
                                                          const ResampleAxis& axis,
                                                          std::uint8_t* out) {
  resample_columns(in, row_bytes, axis, out);
}
#endif

/// True when the machine has the wider instructions of the *_avx2 passes.
inline bool resample_has_avx2() {
#if defined(HOMOLOG_RESAMPLE_AVX2)
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
#else
  return false;
#endif
}

/// A pass along x, to RGB; all instruction sets give the same bytes.
inline Image resample_width(const ImageView& in, const ResampleAxis& axis) {
  Image out(static_cast<int>(axis.taps.size()), in.height);
#if defined(HOMOLOG_RESAMPLE_AVX2)
  if (resample_has_avx2()) {
    resample_rows_avx2(in, axis, out);
    return out;
  }
#endif
  resample_rows(in, axis, out);
  return out;
}

/// A pass along y in the format of `in`; all instruction sets give the same bytes.
///
/// @param bytes receives the pixels
/// @return a view of `bytes`
inline ImageView resample_height(const ImageView& in, const ResampleAxis& axis,
                                 std::vector<std::uint8_t>& bytes) {
  const Size size{in.width, static_cast<int>(axis.taps.size())};
  const std::ptrdiff_t row_bytes = std::ptrdiff_t{in.width} * layout_of(in.format).bytes;
  bytes.resize(static_cast<std::size_t>(row_bytes) * axis.taps.size());
#if defined(HOMOLOG_RESAMPLE_AVX2)
  if (resample_has_avx2()) {
    resample_columns_avx2(in, row_bytes, axis, bytes.data());
    return {bytes.data(), size, in.format};
  }
#endif
  resample_columns(in, row_bytes, axis, bytes.data());
  return {bytes.data(), size, in.format};
}

#undef HOMOLOG_RESAMPLE_INLINE
#undef HOMOLOG_RESAMPLE_AVX2

}  // namespace homolog::inline v0_1::detail
