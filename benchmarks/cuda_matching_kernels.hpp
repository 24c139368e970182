// SPDX-License-Identifier: Apache-2.0
// What nvcc compiles of benchmarks/cuda_matching.cpp; nothing of LibTorch is needed here.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

namespace benchmarks {

inline constexpr int answer_width = 4;  // x, y, score, second
inline constexpr int window_radius = 2;
inline constexpr float window_temperature = 10;

enum class Decoding { argmax, window_soft_argmax };

// homolog::cuda::decode: similarities [count, rows*cols] to answers [count, answer_width], both on
// the device.
void decode(const float* similarity, std::size_t count, int rows, int cols, Decoding decoding,
            float* answers, cudaStream_t stream);

}  // namespace benchmarks
