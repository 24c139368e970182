// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The kernels of kernels/cuda/decode.hpp, for a source that nvcc compiles and that calls them;
/// they need the CUDA runtime and nothing of LibTorch. Where other sources call them too, exactly
/// one of the program's defines HOMOLOG_COMPILING_CUDA before it includes this file, as the library
/// homolog::cuda does.

#include <cuda_runtime.h>

#include <cstddef>
#include <string>

#include "homolog/core/errors.hpp"
#include "homolog/kernels/cuda/decode.hpp"
#include "homolog/kernels/cuda/decoder.hpp"

#ifdef HOMOLOG_COMPILING_CUDA
#define HOMOLOG_CUDA_INLINE
#else
#define HOMOLOG_CUDA_INLINE inline
#endif

namespace homolog::inline v0_1::cuda {

namespace detail {

inline constexpr int threads_per_row = 128;

/// The largest value with its index, the lowest index of equal values, and the second largest
/// value.
struct Best {
  float value;
  int index;
  float second;
};

__device__ inline float minus_infinity() { return __int_as_float(0xff800000); }

__device__ inline Best better(Best a, Best b) {
  const bool other = b.value > a.value || (b.value == a.value && b.index < a.index);
  Best best = other ? b : a;
  best.second = fmaxf(other ? a.value : b.value, fmaxf(a.second, b.second));
  return best;
}

/// The best of all threads of a block, in every thread.
__device__ inline Best best_of_block(Best own) {
  __shared__ Best of_warp[threads_per_row / 32];
  __syncthreads();  // the result of an earlier call has been read
  for (int step = 16; step > 0; step /= 2) {
    const Best other{__shfl_down_sync(0xffffffffU, own.value, step),
                     __shfl_down_sync(0xffffffffU, own.index, step),
                     __shfl_down_sync(0xffffffffU, own.second, step)};
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

/// One thread block per query.
template <Decoder decoder>
__global__ void decode_kernel(const float* similarity, Grid grid, DecoderSetting setting,
                              Answer* answers) {
  const float* const row = similarity + static_cast<std::size_t>(blockIdx.x) *
                                            static_cast<std::size_t>(grid.rows) *
                                            static_cast<std::size_t>(grid.cols);
  const int width = grid.x2 - grid.x1, inside = width * (grid.y2 - grid.y1);
  const auto cell = [&](int i) { return (grid.y1 + i / width) * grid.cols + grid.x1 + i % width; };
  const Best nothing{minus_infinity(), 0x7fffffff, minus_infinity()};
  Best best = nothing;
  for (int i = threadIdx.x; i < inside; i += threads_per_row) {
    const int index = cell(i);
    if (isfinite(row[index])) best = better(best, {row[index], index, minus_infinity()});
  }
  best = best_of_block(best);
  if (best.index == 0x7fffffff) {
    const float none = nanf("");
    if (threadIdx.x == 0) {
      answers[blockIdx.x] = {none, none, minus_infinity(), minus_infinity()};
    }
    return;
  }
  const int peak_row = best.index / grid.cols, peak_col = best.index % grid.cols;
  if constexpr (decoder == Decoder::argmax) {
    if (threadIdx.x == 0) {
      answers[blockIdx.x] = {static_cast<float>(peak_col), static_cast<float>(peak_row), best.value,
                             best.second};
    }
    return;
  }
  // Positions relative to the peak keep float32 sums exact enough.
  const auto right_of_peak = [&](int index) {
    return static_cast<float>(index % grid.cols - peak_col);
  };
  const auto below_peak = [&](int index) {
    return static_cast<float>(index / grid.cols - peak_row);
  };
  const auto value = [&](int index) {
    if constexpr (decoder != Decoder::kernel_soft_argmax) return row[index];
    const float x = right_of_peak(index), y = below_peak(index);
    return row[index] * expf(-0.5F * (x * x + y * y) / (setting.sigma * setting.sigma));
  };
  float maximum = best.value;
  if constexpr (decoder == Decoder::kernel_soft_argmax) {
    // Damping raises negative similarities towards 0, so the maximum may no longer be at the peak.
    Best damped = nothing;
    for (int i = threadIdx.x; i < inside; i += threads_per_row) {
      const int index = cell(i);
      if (isfinite(row[index])) damped = better(damped, {value(index), index, minus_infinity()});
    }
    maximum = best_of_block(damped).value;
  }
  float sums[3] = {};
  const auto add = [&](int index) {
    if (!isfinite(row[index])) return;
    const float weight = expf(setting.temperature * (value(index) - maximum));
    sums[0] += weight;
    sums[1] += weight * right_of_peak(index);
    sums[2] += weight * below_peak(index);
  };
  if constexpr (decoder == Decoder::window_soft_argmax) {
    const int left = (max)(peak_col - setting.window_radius, grid.x1);
    const int top = (max)(peak_row - setting.window_radius, grid.y1);
    const int right = (min)(peak_col + setting.window_radius + 1, grid.x2);
    const int bottom = (min)(peak_row + setting.window_radius + 1, grid.y2);
    const int wide = right - left;
    for (int i = threadIdx.x; i < wide * (bottom - top); i += threads_per_row) {
      add((top + i / wide) * grid.cols + left + i % wide);
    }
  } else {
    for (int i = threadIdx.x; i < inside; i += threads_per_row) add(cell(i));
  }
  sum_of_block(sums);
  if (threadIdx.x == 0) {
    answers[blockIdx.x] = {static_cast<float>(peak_col) + sums[1] / sums[0],
                           static_cast<float>(peak_row) + sums[2] / sums[0], best.value,
                           best.second};
  }
}

/// One thread per cell, so that neighbouring threads read neighbouring similarities.
template <int threads>
__global__ void column_kernel(const float* similarity, int count, int first, Grid grid,
                              ColumnMaximum* columns) {
  const int cells = grid.rows * grid.cols;
  const int cell = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (cell >= cells) return;
  ColumnMaximum best{minus_infinity(), -1};
  if (first > 0) best = columns[cell];
  const int x = cell % grid.cols, y = cell / grid.cols;
  if (x >= grid.x1 && x < grid.x2 && y >= grid.y1 && y < grid.y2) {
    for (int q = 0; q < count; ++q) {
      const float value = similarity[static_cast<std::size_t>(q) * static_cast<std::size_t>(cells) +
                                     static_cast<std::size_t>(cell)];
      if (isfinite(value) && value > best.value) best = {value, first + q};
    }
  }
  columns[cell] = best;
}

}  // namespace detail

HOMOLOG_CUDA_INLINE void decode(const float* similarity, std::size_t count, const Grid& grid,
                                const DecoderSetting& setting, Answer* answers, Stream stream) {
  detail::require_decodable(grid, setting, count);
  if (count == 0) return;
  // No window reaches further than the grid; a larger radius would overflow.
  const int reach = grid.rows > grid.cols ? grid.rows : grid.cols;
  DecoderSetting inside = setting;
  if (inside.window_radius > reach) inside.window_radius = reach;
  auto* kernel = detail::decode_kernel<Decoder::argmax>;
  if (setting.decoder == Decoder::window_soft_argmax) {
    kernel = detail::decode_kernel<Decoder::window_soft_argmax>;
  } else if (setting.decoder == Decoder::soft_argmax) {
    kernel = detail::decode_kernel<Decoder::soft_argmax>;
  } else if (setting.decoder == Decoder::kernel_soft_argmax) {
    kernel = detail::decode_kernel<Decoder::kernel_soft_argmax>;
  }
  kernel<<<static_cast<unsigned>(count), detail::threads_per_row, 0, stream>>>(similarity, grid,
                                                                               inside, answers);
  if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess) {
    throw DeviceError(std::string("cuda::decode: ") + cudaGetErrorString(error));
  }
}

HOMOLOG_CUDA_INLINE void take_column_maxima(const float* similarity, int count, int first,
                                            const Grid& grid, ColumnMaximum* columns,
                                            Stream stream) {
  if (count < 0 || first < 0 || count > 0x7fffffff - first) {
    throw ShapeError("cuda::take_column_maxima: " + std::to_string(count) + " queries from " +
                     std::to_string(first) + ", expected at most 2^31 - 1 from 0");
  }
  detail::require_decodable(grid, {}, static_cast<std::size_t>(count));
  constexpr int threads = 128;
  const int blocks = (grid.rows * grid.cols + threads - 1) / threads;
  detail::column_kernel<threads><<<static_cast<unsigned>(blocks), threads, 0, stream>>>(
      similarity, count, first, grid, columns);
  if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess) {
    throw DeviceError(std::string("cuda::take_column_maxima: ") + cudaGetErrorString(error));
  }
}

}  // namespace homolog::inline v0_1::cuda

#undef HOMOLOG_CUDA_INLINE
