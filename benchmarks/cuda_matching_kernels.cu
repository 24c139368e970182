// SPDX-License-Identifier: Apache-2.0
#include "cuda_matching_kernels.hpp"

#include "homolog/kernels/cuda/decode.cuh"

namespace benchmarks {

static_assert(sizeof(homolog::cuda::Answer) == answer_width * sizeof(float));

void decode(const float* similarity, std::size_t count, int rows, int cols, Decoding decoding,
            float* answers, cudaStream_t stream) {
  homolog::cuda::DecoderSetting setting;
  if (decoding == Decoding::window_soft_argmax) {
    setting.decoder = homolog::cuda::Decoder::window_soft_argmax;
    setting.window_radius = window_radius;
    setting.temperature = window_temperature;
  }
  homolog::cuda::decode(similarity, count, {rows, cols, 0, 0, cols, rows}, setting,
                        reinterpret_cast<homolog::cuda::Answer*>(answers), stream);
}

}  // namespace benchmarks
