// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Matching on a CUDA device from any C++ source: the caller's matrix product (cuBLAS, ATen) gives
/// the similarities tile by tile, and one kernel decodes each tile by argmax, window, global or
/// kernel soft-argmax. Opt-in. The kernels are in the library homolog::cuda (CMake option
/// HOMOLOG_WITH_CUDA), or in a source of one's own that nvcc compiles, see kernels/cuda/decode.cuh.

#include <cstddef>

#include "homolog/core/errors.hpp"
#include "homolog/kernels/cuda/decoder.hpp"

struct CUstream_st;  // what the CUDA runtime's cudaStream_t points to

namespace homolog::inline v0_1::cuda {

/// The CUDA runtime's cudaStream_t; nullptr is its default stream.
using Stream = CUstream_st*;

/// One query's answer, in cells; score is -infinity where no similarity is finite, x and y are NaN
/// then.
struct Answer {
  float x = 0;       ///< column
  float y = 0;       ///< row
  float score = 0;   ///< the similarity at the peak
  float second = 0;  ///< the largest similarity of all other cells, -infinity without one
};

/// The query that is most similar to a cell, for mutual nearest neighbours.
struct ColumnMaximum {
  float value = 0;  ///< -infinity where no similarity is finite
  int query = 0;    ///< -1 then
};

/// Decodes similarities that lie on the device: the peak of each row (lowest row-major index of
/// equal ones, NaN and infinities never win) or an expected position around it.
///
/// @param similarity float32 [count, rows*cols] on the device
/// @param answers [count] on the device
/// @throws what require_decodable() throws; DeviceError when the launch fails
/// @note does not synchronise; the answers are complete when `stream` has finished this kernel
void decode(const float* similarity, std::size_t count, const Grid& grid,
            const DecoderSetting& setting, Answer* answers, Stream stream);

/// The query most similar to each cell, over all tiles of similarities so far: with the peaks of
/// decode() these are the mutual nearest neighbours. Of equally similar queries the first wins.
///
/// @param similarity float32 [count, rows*cols] on the device, queries first, first + 1, ...
/// @param first 0 starts a new search; later tiles must follow in rising order
/// @param columns [rows*cols] on the device
/// @throws ShapeError; DeviceError when the launch fails
/// @note does not synchronise
void take_column_maxima(const float* similarity, int count, int first, const Grid& grid,
                        ColumnMaximum* columns, Stream stream);

/// Matches any number of queries through one tile of similarities, which stays in the L2 cache.
///
/// @param multiply called as multiply(first, count, tile): puts the cosines of queries
///   [first, first + count) with all cells on `stream`, float32 [count, rows*cols]. With cuBLAS:
///   cublasSgemm(handle, CUBLAS_OP_T, CUBLAS_OP_N, cells, count, D, &one, target, D,
///   queries + first * D, D, &zero, tile, cells), or cublasGemmEx on bfloat16 features. TF32 must
///   be off when the ranking must be that of float32
/// @param tile float32 [tile_rows, rows*cols] on the device; 512 rows of 60x60 are 7 MB
/// @param answers [count] on the device
/// @throws what decode() and `multiply` throw
/// @note does not synchronise
template <class Multiply>
void match(const Multiply& multiply, std::size_t count, const Grid& grid,
           const DecoderSetting& setting, float* tile, std::size_t tile_rows, Answer* answers,
           Stream stream) {
  detail::require_decodable(grid, setting, tile_rows);
  if (tile_rows == 0) throw ShapeError("cuda::match: tile_rows is 0, expected at least 1");
  for (std::size_t first = 0; first < count; first += tile_rows) {
    const std::size_t here = count - first < tile_rows ? count - first : tile_rows;
    multiply(first, here, tile);
    decode(tile, here, grid, setting, answers + first, stream);
  }
}

}  // namespace homolog::inline v0_1::cuda
