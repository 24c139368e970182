// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Matching on a CUDA device: similarities tile by tile from a matrix product of the caller's
/// (cuBLAS, ATen), and one kernel that decodes a tile: peak, window soft-argmax or soft-argmax.
/// Compiled by nvcc; needs the CUDA runtime and nothing of LibTorch.

#include <cuda_runtime.h>

#include <cstddef>
#include <string>

#include "homolog/core/errors.hpp"

namespace homolog::cuda {

/// What a row of similarities becomes; the definitions are those of Argmax, WindowSoftArgmax
/// (outside excluded) and SoftArgmax.
enum class Decoder { argmax, window_soft_argmax, soft_argmax };

struct DecoderSetting {
  Decoder decoder = Decoder::argmax;
  float temperature = 10;  ///< multiplies the cosine; soft decoders
  int window_radius = 2;   ///< [cells] window_soft_argmax
};

/// The target's grid; cells outside [x1, x2) x [y1, y2) are padding and never count.
struct Grid {
  int rows = 0;
  int cols = 0;
  int x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};

/// One query's answer, in cells; score is -infinity where no similarity is finite, x and y are NaN
/// then.
struct Answer {
  float x = 0;
  float y = 0;
  float score = 0;
};

namespace detail {

inline constexpr int threads_per_row = 128;

/// A value and where it stands; the lower index wins among equals.
struct Best {
  float value;
  int index;
};

__device__ inline Best better(Best a, Best b) {
  return b.value > a.value || (b.value == a.value && b.index < a.index) ? b : a;
}

__device__ inline float minus_infinity() { return __int_as_float(0xff800000); }

__device__ inline bool counts(float value) { return isfinite(value); }

/// The best of all threads of a block, in every thread.
__device__ inline Best best_of_block(Best own) {
  __shared__ Best of_warp[threads_per_row / 32];
  for (int step = 16; step > 0; step /= 2) {
    const Best other{__shfl_down_sync(0xffffffffU, own.value, step),
                     __shfl_down_sync(0xffffffffU, own.index, step)};
    own = better(own, other);
  }
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = own;
  __syncthreads();
  own = of_warp[0];
  for (int warp = 1; warp < threads_per_row / 32; ++warp) own = better(own, of_warp[warp]);
  return own;
}

/// Sums of three values over all threads of a block, in thread 0, in an order that is always the
/// same.
__device__ inline void sum_of_block(float (&sums)[3]) {
  __shared__ float of_warp[3][threads_per_row / 32];
  for (int i = 0; i < 3; ++i) {
    for (int step = 16; step > 0; step /= 2) {
      sums[i] += __shfl_down_sync(0xffffffffU, sums[i], step);
    }
    if (threadIdx.x % 32 == 0) of_warp[i][threadIdx.x / 32] = sums[i];
  }
  __syncthreads();
  for (int i = 0; i < 3; ++i) {
    sums[i] = of_warp[i][0];
    for (int warp = 1; warp < threads_per_row / 32; ++warp) sums[i] += of_warp[i][warp];
  }
}

/// One block a query.
template <Decoder decoder>
__global__ void decode_kernel(const float* similarity, Grid grid, DecoderSetting setting,
                              Answer* answers) {
  const float* const row = similarity + static_cast<std::size_t>(blockIdx.x) *
                                            static_cast<std::size_t>(grid.rows) *
                                            static_cast<std::size_t>(grid.cols);
  const int width = grid.x2 - grid.x1, inside = width * (grid.y2 - grid.y1);
  const auto cell = [&](int i) { return (grid.y1 + i / width) * grid.cols + grid.x1 + i % width; };
  Best best{minus_infinity(), 0x7fffffff};
  for (int i = threadIdx.x; i < inside; i += threads_per_row) {
    const int index = cell(i);
    if (counts(row[index])) best = better(best, {row[index], index});
  }
  best = best_of_block(best);
  if (best.index == 0x7fffffff) {
    const float none = nanf("");
    if (threadIdx.x == 0) answers[blockIdx.x] = {none, none, minus_infinity()};
    return;
  }
  const int peak_row = best.index / grid.cols, peak_col = best.index % grid.cols;
  if constexpr (decoder == Decoder::argmax) {
    if (threadIdx.x == 0) {
      answers[blockIdx.x] = {static_cast<float>(peak_col), static_cast<float>(peak_row),
                             best.value};
    }
    return;
  }
  // Positions relative to the peak keep float32 sums exact enough.
  float sums[3] = {};
  const auto add = [&](int index) {
    if (!counts(row[index])) return;
    const float weight = expf(setting.temperature * (row[index] - best.value));
    sums[0] += weight;
    sums[1] += weight * static_cast<float>(index % grid.cols - peak_col);
    sums[2] += weight * static_cast<float>(index / grid.cols - peak_row);
  };
  if constexpr (decoder == Decoder::soft_argmax) {
    for (int i = threadIdx.x; i < inside; i += threads_per_row) add(cell(i));
  } else {
    const int left = max(peak_col - setting.window_radius, grid.x1);
    const int top = max(peak_row - setting.window_radius, grid.y1);
    const int right = min(peak_col + setting.window_radius + 1, grid.x2);
    const int bottom = min(peak_row + setting.window_radius + 1, grid.y2);
    const int wide = right - left;
    for (int i = threadIdx.x; i < wide * (bottom - top); i += threads_per_row) {
      add((top + i / wide) * grid.cols + left + i % wide);
    }
  }
  sum_of_block(sums);
  if (threadIdx.x == 0) {
    answers[blockIdx.x] = {static_cast<float>(peak_col) + sums[1] / sums[0],
                           static_cast<float>(peak_row) + sums[2] / sums[0], best.value};
  }
}

inline void require_setting(const Grid& grid, const DecoderSetting& setting) {
  if (grid.rows < 1 || grid.cols < 1 || grid.x1 < 0 || grid.y1 < 0 || grid.x1 >= grid.x2 ||
      grid.y1 >= grid.y2 || grid.x2 > grid.cols || grid.y2 > grid.rows ||
      grid.rows > 0x7fffffff / grid.cols) {
    throw ShapeError("cuda::decode: cells [" + std::to_string(grid.x1) + ", " +
                     std::to_string(grid.x2) + ") x [" + std::to_string(grid.y1) + ", " +
                     std::to_string(grid.y2) + ") of a grid of " + std::to_string(grid.rows) +
                     " rows and " + std::to_string(grid.cols) + " columns");
  }
  if (setting.decoder != Decoder::argmax && !(setting.temperature > 0)) {
    throw SettingError("cuda::decode: temperature is " + std::to_string(setting.temperature) +
                       ", expected a positive number");
  }
  if (setting.decoder == Decoder::window_soft_argmax && setting.window_radius < 0) {
    throw SettingError("cuda::decode: window_radius is " + std::to_string(setting.window_radius) +
                       ", expected at least 0");
  }
}

}  // namespace detail

/// Decodes similarities that lie on the device: the peak of each row (lowest row-major index of
/// equal ones, NaN and infinities never win) or an expected position around it.
///
/// @param similarity float32 [count, rows*cols] on the device
/// @param answers [count] on the device
/// @throws ShapeError, SettingError; DeviceError when the launch fails
/// @note does not synchronise; answers are there when `stream` has come this far
inline void decode(const float* similarity, std::size_t count, const Grid& grid,
                   const DecoderSetting& setting, Answer* answers, cudaStream_t stream) {
  detail::require_setting(grid, setting);
  if (count == 0) return;
  const auto kernel = setting.decoder == Decoder::argmax
                          ? detail::decode_kernel<Decoder::argmax>
                      : setting.decoder == Decoder::soft_argmax
                          ? detail::decode_kernel<Decoder::soft_argmax>
                          : detail::decode_kernel<Decoder::window_soft_argmax>;
  kernel<<<static_cast<unsigned>(count), detail::threads_per_row, 0, stream>>>(similarity, grid,
                                                                              setting, answers);
  if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess) {
    throw DeviceError(std::string("cuda::decode: ") + cudaGetErrorString(error));
  }
}

/// Matches any number of queries through one tile of similarities that stays in the second cache.
///
/// @param multiply called as multiply(first, count, tile): puts the cosines of queries
///   [first, first + count) with all cells on `stream`, float32 [count, rows*cols]. With cuBLAS:
///   cublasSgemm(handle, CUBLAS_OP_T, CUBLAS_OP_N, cells, count, D, &one, target, D,
///   queries + first * D, D, &zero, tile, cells), or cublasGemmEx on bfloat16 features. TF32 must
///   be off where the ranking is to be float32's
/// @param tile float32 [tile_rows, rows*cols] on the device; 512 rows of 60x60 are 7 MB
/// @param answers [count] on the device
/// @throws what decode() and `multiply` throw
/// @note does not synchronise
template <class Multiply>
void match(const Multiply& multiply, std::size_t count, const Grid& grid,
           const DecoderSetting& setting, float* tile, std::size_t tile_rows, Answer* answers,
           cudaStream_t stream) {
  detail::require_setting(grid, setting);
  if (tile_rows == 0) throw ShapeError("cuda::match: a tile of no rows");
  for (std::size_t first = 0; first < count; first += tile_rows) {
    const std::size_t here = count - first < tile_rows ? count - first : tile_rows;
    multiply(first, here, tile);
    decode(tile, here, grid, setting, answers + first, stream);
  }
}

}  // namespace homolog::cuda
