// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <homolog/matchers/argmax.hpp>
#include <homolog/version.hpp>

int main() {
  homolog::FloatMatrix similarity(4, 6);
  similarity(2, 5) = 1;
  const auto match = homolog::Argmax{}(similarity);
  std::printf("homolog %s: (%.0f, %.0f)\n", HOMOLOG_VERSION, match.cell.x, match.cell.y);
  return match.cell == homolog::Point<homolog::GridFrame>{5, 2} ? 0 : 1;
}
