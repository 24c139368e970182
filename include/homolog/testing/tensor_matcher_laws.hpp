// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The laws of a matcher's tensor path, beside those of testing/matcher_laws.hpp. Opt-in, with
/// LibTorch.

#include <torch/types.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/feature_map.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/matchers/tensor/decode.hpp"
#include "homolog/matchers/tensor/host_path.hpp"
#include "homolog/testing/laws.hpp"
#include "homolog/testing/matcher_laws.hpp"

namespace homolog::inline v0_1::testing {

namespace detail {

/// [N, rows*cols] random similarities; every third map is padded on the right and below, and every
/// third has padding here and there.
inline FloatMatrix random_maps(int count, int rows, int cols, unsigned seed) {
  FloatMatrix maps = random_matrix(count, rows * cols, seed, -1, 1);
  for (int i = 0; i < count; ++i) {
    for (int cell = 1; cell < rows * cols; ++cell) {
      const bool padded = cell % cols >= (cols + 1) / 2 || cell / cols >= (rows + 1) / 2;
      if (i % 3 == 1 && padded) maps(i, cell) = padding;
      if (i % 3 == 2 && cell % 7 == 3) maps(i, cell) = padding;
    }
  }
  return maps;
}

/// The same maps in steps of a half, which leaves many cells of a map equal; the last one is
/// constant, and the padding stays.
inline FloatMatrix tied_maps(FloatMatrix maps) {
  for (Eigen::Index i = 0; i < maps.rows(); ++i) {
    for (Eigen::Index cell = 0; cell < maps.cols(); ++cell) {
      float& value = maps(i, cell);
      if (value == padding) continue;
      value = i + 1 == maps.rows() ? 0.5F : std::round(2 * value) / 2;
    }
  }
  return maps;
}

inline at::Tensor as_tensor(const FloatMatrix& maps, int rows, int cols, at::Device device) {
  return torch::from_blob(const_cast<float*>(maps.data()), {maps.rows(), rows, cols},
                          torch::kFloat32)
      .to(device, /*non_blocking=*/false, /*copy=*/true);
}

inline Point<GridFrame> cell_of(const at::Tensor& cells, std::int64_t i) {
  return {cells[i][0].item<double>(), cells[i][1].item<double>()};
}

/// @return what differs by more than 1e-4 cells; nothing where all agree
template <class M>
std::string compare_paths(const M& matcher, const FloatMatrix& maps, int rows, int cols,
                          at::Device device) {
  const auto all = as_tensor(maps, rows, cols, device);
  const auto cells = homolog::detail::decode_cells(matcher, all);
  for (std::int64_t i = 0; i < maps.rows(); ++i) {
    const float* const map = homolog::detail::row_of(maps, i);
    const Match host = match_map(matcher, SimilarityMap(map, rows, cols));
    const auto alone = homolog::detail::decode_cells(matcher, all.slice(0, i, i + 1));
    for (const Point<GridFrame> other : {cell_of(cells, i), cell_of(alone, 0)}) {
      if (largest_step(host.cell, other) <= 1e-4) continue;
      return text("map ", i, " of ", rows, "x", cols, ": ", point_text(host.cell), " on the host, ",
                  point_text(other), " by decode");
    }
  }
  return {};
}

/// @return where the gradient is not that of central differences in float64
template <class M>
std::string compare_gradients(const M& matcher, unsigned seed, at::Device device) {
  constexpr int rows = 5, cols = 6;
  constexpr double step = 1e-6;
  // The maps have no padding, because a difference of infinities is NaN.
  const auto maps =
      as_tensor(random_matrix(2, rows * cols, seed, -1, 1), rows, cols, device).to(torch::kFloat64);
  const auto weighed = [&](const at::Tensor& similarity) {
    const auto cells = homolog::detail::decode_cells(matcher, similarity);
    return (cells.select(1, 0) + 2 * cells.select(1, 1)).sum();
  };
  const auto leaf = maps.clone().requires_grad_();
  const auto sum = weighed(leaf);
  if (!sum.requires_grad()) return {};  // an argmax
  sum.backward();
  const auto gradient = leaf.grad().flatten();
  for (std::int64_t i = 0; i < maps.numel(); ++i) {
    auto up = maps.clone(), down = maps.clone();
    up.flatten()[i] += step;
    down.flatten()[i] -= step;
    const double expected = ((weighed(up) - weighed(down)) / (2 * step)).template item<double>();
    const double got = gradient[i].template item<double>();
    if (std::abs(got - expected) <= 1e-5 * (1 + std::abs(expected))) continue;
    return text("of cell ", i, ": ", got, ", central differences give ", expected);
  }
  return {};
}

}  // namespace detail

/// Checks that a matcher gives one answer on all its paths, and that its gradient is the right one.
/// check_matcher_laws() checks the answer itself. Of equal cells all paths must take those of
/// lowest row-major index first; at::topk does not.
///
/// @param matcher one with a tensor path, `at::Tensor decode(const at::Tensor& similarity) const`
/// @param device where the tensors lie
/// @return every law, see Law::broken; throws nothing of its own
template <class M>
std::vector<Law> check_tensor_matcher_laws(const M& matcher, at::Device device = at::kCPU) {
  require_tensor_matcher<M>();
  std::vector<Law> laws;
  const auto compare = [&](bool tied) -> std::string {
    unsigned seed = 0;
    for (const auto& [rows, cols] : {std::pair(1, 1), {1, 9}, {9, 1}, {6, 7}, {12, 7}, {16, 37}}) {
      const FloatMatrix random = detail::random_maps(7, rows, cols, ++seed);
      const FloatMatrix maps = tied ? detail::tied_maps(random) : random;
      const auto broken = detail::compare_paths(matcher, maps, rows, cols, device);
      if (!broken.empty()) return broken;
    }
    return {};
  };
  detail::add_law(laws, "all paths give the same answer, alone and in a batch",
                  [&] { return compare(false); });
  detail::add_law(laws, "all paths give the same answer where cells are equal",
                  [&] { return compare(true); });
  detail::add_law(laws, "a gradient is that of central differences", [&]() -> std::string {
    for (unsigned seed = 0; seed < 3; ++seed) {
      const auto broken = detail::compare_gradients(matcher, seed, device);
      if (!broken.empty()) return broken;
    }
    return {};
  });
  return laws;
}

}  // namespace homolog::inline v0_1::testing
