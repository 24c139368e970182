// SPDX-License-Identifier: Apache-2.0
// Matches feature maps that come from elsewhere (ONNX Runtime, TensorRT, a file): no backbone and
// no LibTorch, only homolog::core. Here the target is the source moved by (3, 2) cells.
#include <cstdio>
#include <homolog/core/feature_map.hpp>
#include <homolog/kernels/normalize.hpp>
#include <homolog/kernels/sample.hpp>
#include <homolog/matchers/match_queries.hpp>
#include <homolog/matchers/soft_argmax.hpp>

int main() {
  homolog::FeatureMap source(16, 16, 64), target(16, 16, 64);  // rows, columns, dimension
  source.values.view().setRandom();
  target.values.view().setRandom();
  for (int row = 0; row < 14; ++row) {
    for (int col = 0; col < 13; ++col) target.cell(row + 2, col + 3) = source.cell(row, col);
  }
  homolog::normalize_rows(source.values);
  homolog::normalize_rows(target.values);

  const homolog::Points<homolog::GridFrame> queries{{4, 5}, {9, 7}};  // cells (x, y)
  const auto descriptors = homolog::sample_descriptors(source, queries, homolog::Query::nearest);
  const homolog::SoftArgmax matcher;
  const auto matches = homolog::match_descriptors(matcher, descriptors, target);
  bool right = true;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const homolog::Point<homolog::GridFrame> expected{queries[i].x + 3, queries[i].y + 2};
    std::printf("(%.0f, %.0f) -> (%.3f, %.3f)\n", queries[i].x, queries[i].y, matches[i].cell.x,
                matches[i].cell.y);
    right = right && homolog::distance(matches[i].cell, expected) < 0.01;
  }
  return right ? 0 : 1;
}
