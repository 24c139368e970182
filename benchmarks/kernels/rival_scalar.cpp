// SPDX-License-Identifier: Apache-2.0
// The reference: plain loops in float64, and the peak of this processor.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "axes.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace benchmarks {

namespace {

void reference(Operation operation, const Inputs& inputs, Answers& answers) {
  const auto [dim, side, queries] = inputs.shape;
  answers.resize(2 * queries);
  std::vector<double> similarity(side * side);
  for (std::size_t q = 0; q < queries; ++q) {
    std::size_t peak = 0;
    for (std::size_t c = 0; c < similarity.size(); ++c) {
      double sum = 0;
      for (std::size_t d = 0; d < dim; ++d) {
        sum += static_cast<double>(inputs.queries[q * dim + d]) *
               static_cast<double>(inputs.cells[c * dim + d]);
      }
      similarity[c] = sum;
      if (sum > similarity[peak]) peak = c;
    }
    double x = static_cast<double>(peak % side), y = static_cast<double>(peak / side);
    if (operation != Operation::argmax) {
      const bool window = operation == Operation::window_soft_argmax;
      const double temperature =
          static_cast<double>(window ? window_temperature : soft_temperature);
      double total = 0, sum_x = 0, sum_y = 0;
      for (std::size_t c = 0; c < similarity.size(); ++c) {
        const double col = static_cast<double>(c % side), row = static_cast<double>(c / side);
        if (window && (std::abs(col - x) > window_radius || std::abs(row - y) > window_radius)) {
          continue;
        }
        const double weight = std::exp(temperature * (similarity[c] - similarity[peak]));
        total += weight;
        sum_x += weight * col;
        sum_y += weight * row;
      }
      x = sum_x / total;
      y = sum_y / total;
    }
    answers[2 * q] = static_cast<float>(x);
    answers[2 * q + 1] = static_cast<float>(y);
  }
}

}  // namespace

Rival scalar_rival() {
  return {"scalar", [](Operation operation, const Inputs& inputs, int) {
            return
                [operation, &inputs](Answers& answers) { reference(operation, inputs, answers); };
          }};
}

#if defined(__x86_64__)
namespace {

// Written in assembly: compilers see through twelve like sums.
__attribute__((target("avx512f"))) void fma_512(long rounds) {
  for (long i = 0; i < rounds; ++i) {
    asm volatile(
        "vfmadd231ps %%zmm30,%%zmm31,%%zmm0\n vfmadd231ps %%zmm30,%%zmm31,%%zmm1\n"
        "vfmadd231ps %%zmm30,%%zmm31,%%zmm2\n vfmadd231ps %%zmm30,%%zmm31,%%zmm3\n"
        "vfmadd231ps %%zmm30,%%zmm31,%%zmm4\n vfmadd231ps %%zmm30,%%zmm31,%%zmm5\n"
        "vfmadd231ps %%zmm30,%%zmm31,%%zmm6\n vfmadd231ps %%zmm30,%%zmm31,%%zmm7\n"
        "vfmadd231ps %%zmm30,%%zmm31,%%zmm8\n vfmadd231ps %%zmm30,%%zmm31,%%zmm9\n"
        "vfmadd231ps %%zmm30,%%zmm31,%%zmm10\n vfmadd231ps %%zmm30,%%zmm31,%%zmm11\n" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11");
  }
}
__attribute__((target("fma"))) void fma_256(long rounds) {
  for (long i = 0; i < rounds; ++i) {
    asm volatile(
        "vfmadd231ps %%ymm14,%%ymm15,%%ymm0\n vfmadd231ps %%ymm14,%%ymm15,%%ymm1\n"
        "vfmadd231ps %%ymm14,%%ymm15,%%ymm2\n vfmadd231ps %%ymm14,%%ymm15,%%ymm3\n"
        "vfmadd231ps %%ymm14,%%ymm15,%%ymm4\n vfmadd231ps %%ymm14,%%ymm15,%%ymm5\n"
        "vfmadd231ps %%ymm14,%%ymm15,%%ymm6\n vfmadd231ps %%ymm14,%%ymm15,%%ymm7\n"
        "vfmadd231ps %%ymm14,%%ymm15,%%ymm8\n vfmadd231ps %%ymm14,%%ymm15,%%ymm9\n"
        "vfmadd231ps %%ymm14,%%ymm15,%%ymm10\n vfmadd231ps %%ymm14,%%ymm15,%%ymm11\n" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11");
  }
}

}  // namespace

double fma_peak() {
  const bool wide = __builtin_cpu_supports("avx512f");
  if (!wide && !__builtin_cpu_supports("fma")) return 0;
  double best = 0;
  constexpr long rounds = 2000000;
  for (int attempt = 0; attempt < 7; ++attempt) {
    const auto begin = std::chrono::steady_clock::now();
    wide ? fma_512(rounds) : fma_256(rounds);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best =
        std::max(best, static_cast<double>(rounds) * 12 * (wide ? 32 : 16) / seconds.count() / 1e9);
  }
  return best;
}
#else
double fma_peak() { return 0; }
#endif

}  // namespace benchmarks
