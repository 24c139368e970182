// SPDX-License-Identifier: Apache-2.0
#pragma once

// What all kernel benchmarks share: shapes, inputs, rivals and the check of their answers. No
// LibTorch, no Eigen: rivals are compiled apart, each as it is fastest.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace benchmarks {

// N queries of D features against a grid of side x side cells.
struct Shape {
  std::size_t dim = 0;
  std::size_t side = 0;
  std::size_t queries = 0;
  std::size_t cells() const { return side * side; }
  double flop() const {
    return 2.0 * static_cast<double>(queries) * static_cast<double>(cells()) *
           static_cast<double>(dim);
  }
};

inline std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const std::size_t dim : {384, 768, 1024}) {
    for (const std::size_t side : {16, 37, 60, 64}) {
      for (const std::size_t queries : {1, 7, 20, 32, 136, 1369})
        all.push_back({dim, side, queries});
    }
  }
  return all;
}

// L2-normalised float32 rows; a query is a cell's feature with noise, as real ones are.
struct Inputs {
  Shape shape;
  std::vector<float> queries;  // [N,D]
  std::vector<float> cells;    // [rows*cols,D]
};

enum class Operation { argmax, window_soft_argmax, soft_argmax };
inline constexpr int window_radius = 2;
inline constexpr float window_temperature = 10, soft_temperature = 50;

// x, y of each query's answer, in cells.
using Answers = std::vector<float>;

// One implementation of the operations, working on `threads` threads.
struct Rival {
  std::string name;
  // A closure over what the rival prepares once per inputs (views, an index), or nothing where it
  // does not have the operation.
  std::function<std::function<void(Answers&)>(Operation, const Inputs&, int threads)> prepare;
};

Rival homolog_rival();
Rival homolog_float32_rival();   // the same without the scan in bfloat16
Rival homolog_bfloat16_rival();  // scan of a target that was rounded before, the float32 argmax
Rival aten_rival();
Rival eigen_rival();
Rival faiss_rival();  // its `prepare` is empty where faiss was not found
Rival scalar_rival();

// Fused multiply-adds in registers of one thread: the most this processor gives just now [GFLOP/s].
double fma_peak();

}  // namespace benchmarks
