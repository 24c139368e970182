// SPDX-License-Identifier: Apache-2.0
#include "decode_on_device.hpp"

#include <cuda_runtime_api.h>

#include <stdexcept>

#include "homolog/kernels/cuda/decode.hpp"

namespace homolog::test {

namespace {

void check(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
}

template <class T>
struct DeviceArray {
  explicit DeviceArray(std::size_t count) {
    check(cudaMalloc(reinterpret_cast<void**>(&data), count * sizeof(T)));
  }
  ~DeviceArray() { cudaFree(data); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  T* data = nullptr;
};

}  // namespace

const char* no_device() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) return cudaGetErrorString(error);
  return count > 0 ? "" : "no CUDA device";
}

DeviceResult decode_on_device(const std::vector<float>& similarity, int rows, int cols,
                              const int (&content)[4], int decoder, float temperature, int radius,
                              float sigma, int tile_rows) {
  const std::size_t cells = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  const std::size_t count = similarity.size() / cells;
  const DeviceArray<float> all(similarity.size());
  const DeviceArray<float> tile(cells * static_cast<std::size_t>(tile_rows));
  const DeviceArray<cuda::Answer> answers(count);
  const DeviceArray<cuda::ColumnMaximum> columns(cells);
  check(cudaMemcpy(all.data, similarity.data(), similarity.size() * sizeof(float),
                   cudaMemcpyHostToDevice));
  cudaStream_t stream;
  check(cudaStreamCreate(&stream));
  const cuda::DecoderSetting setting{static_cast<cuda::Decoder>(decoder), temperature, radius,
                                     sigma};
  const cuda::Grid grid{rows, cols, content[0], content[1], content[2], content[3]};
  cuda::match(
      [&](std::size_t first, std::size_t here, float* to) {
        check(cudaMemcpyAsync(to, all.data + first * cells, here * cells * sizeof(float),
                              cudaMemcpyDeviceToDevice, stream));
        cuda::take_column_maxima(to, static_cast<int>(here), static_cast<int>(first), grid,
                                 columns.data, stream);
      },
      count, grid, setting, tile.data, static_cast<std::size_t>(tile_rows), answers.data, stream);
  check(cudaStreamSynchronize(stream));
  check(cudaStreamDestroy(stream));
  DeviceResult result;
  result.answers.resize(4 * count);
  static_assert(sizeof(cuda::Answer) == 4 * sizeof(float));
  check(cudaMemcpy(result.answers.data(), answers.data, result.answers.size() * sizeof(float),
                   cudaMemcpyDeviceToHost));
  std::vector<cuda::ColumnMaximum> found(cells);
  check(cudaMemcpy(found.data(), columns.data, cells * sizeof(cuda::ColumnMaximum),
                   cudaMemcpyDeviceToHost));
  for (const auto& column : found) {
    result.column_value.push_back(column.value);
    result.column_query.push_back(column.query);
  }
  return result;
}

}  // namespace homolog::test
