// SPDX-License-Identifier: Apache-2.0
// A shared library that matches, as a plugin of some program would.
#include "surroundings/process_life/problem.hpp"

extern "C" __attribute__((visibility("default"))) bool plugin_matches_right() {
  return matches_right();
}

/// The same in memory of its own and with so few queries that all threads take them together: no
/// thread is left with an object whose destructor lies in this library.
extern "C" __attribute__((visibility("default"))) bool plugin_leaves_nothing() {
  homolog::KernelWorkspace workspace;
  const homolog::FeatureMap source = unit_map(4, 5, 48, 1), target = unit_map(24, 24, 48, 2);
  const auto answer = [&](int threads) {
    homolog::Execution execution{threads};
    execution.workspace = &workspace;
    return homolog::match_descriptors(homolog::Argmax{}, source.descriptors(), target, execution);
  };
  return same(answer(4), answer(1));
}
