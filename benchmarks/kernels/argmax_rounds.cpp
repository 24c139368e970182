// SPDX-License-Identifier: Apache-2.0
// Finds the peaks of 20 queries among 37x37 cells with 768 features each as many times as asked,
// for instruction_counts.sh: two counts differ by the kernel's own instructions.
//   argmax_rounds ROUNDS
#include <cstdio>
#include <cstdlib>
#include <random>

#include "homolog/kernels/bfloat16_scan.hpp"

namespace {

void fill(homolog::FeatureMap& map, unsigned seed) {
  std::mt19937 random(seed);
  float* const values = map.values.data();
  for (int i = 0; i < map.cells() * map.dim(); ++i) {
    values[i] = static_cast<float>(static_cast<int>(random() >> 8) - (1 << 23)) / (1 << 23);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const int rounds = argc == 2 ? std::atoi(argv[1]) : 0;
  if (rounds < 1) {
    std::fprintf(stderr, "usage: argmax_rounds ROUNDS, at least 1\n");
    return 2;
  }
  homolog::FeatureMap target(37, 37, 768), source(1, 20, 768);
  fill(target, 1);
  fill(source, 2);
  double sum = 0;
  for (int i = 0; i < rounds; ++i) {
    for (const homolog::Peak& peak : homolog::find_peaks(source.descriptors(), target)) {
      sum += static_cast<double>(peak.value);
    }
  }
  std::printf("%.9g\n", sum / rounds);
  return 0;
} catch (const homolog::Error& error) {
  std::fprintf(stderr, "argmax_rounds: %s\n", error.what());
  return 1;
}
