// SPDX-License-Identifier: Apache-2.0
#pragma once

// Similarity maps for the tests of train/, and gradients by central differences.

#include <cmath>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "homolog/matchers/tensor/detail/precision.hpp"
#include "support/torch_doctest.hpp"

namespace homolog::test {

struct MapShape {
  std::int64_t batch, keypoints, rows, cols;
};

/// None square, some of one row or one column.
inline constexpr MapShape map_shapes[] = {{1, 1, 3, 7}, {2, 3, 4, 5}, {3, 2, 6, 2},
                                          {2, 4, 1, 9}, {1, 2, 8, 1}, {1, 1, 1, 1}};

inline std::string shown(const MapShape& shape) {
  return homolog::shape_text(
      std::initializer_list<std::int64_t>{shape.batch, shape.keypoints, shape.rows, shape.cols});
}

inline torch::Tensor random_tensor(at::IntArrayRef sizes, std::uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::rand(sizes, generator, torch::kFloat64) * 2 - 1;
}

/// Maps [B,N,rows,cols] float64 in (-1, 1). No two cells of a map are nearer than 2 / cells, so
/// that a small step never moves a peak.
inline torch::Tensor distinct_maps(const MapShape& shape, std::uint64_t seed) {
  const auto cells = shape.rows * shape.cols;
  const auto order = random_tensor({shape.batch, shape.keypoints, cells}, seed).argsort(-1, false);
  return ((order.to(torch::kFloat64) + 0.5) * (2.0 / static_cast<double>(cells)) - 1)
      .reshape({shape.batch, shape.keypoints, shape.rows, shape.cols});
}

/// -infinity beyond the picture, which ends a row and a column early where the grid has several.
inline torch::Tensor letterboxed(const torch::Tensor& maps) {
  torch::Tensor result = maps.clone();
  const auto rows = maps.size(-2), cols = maps.size(-1);
  if (cols > 1) result.select(-1, cols - 1).fill_(-INFINITY);
  if (rows > 1) result.select(-2, rows - 1).fill_(-INFINITY);
  return result;
}

inline double largest(const torch::Tensor& tensor) {
  return tensor.numel() == 0 ? 0 : tensor.abs().max().item<double>();
}

/// doctest cannot print a dtype.
inline bool has_dtype(const torch::Tensor& tensor, torch::Dtype dtype) {
  return tensor.scalar_type() == dtype;
}

/// Small tensors are no faster on many threads, and far slower where other tests hold the cores.
struct OneThread {
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(threads_before); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

  int threads_before = at::get_num_threads();
};

/// A scalar function, of many tensors at once: [K,...] to [K].
using ScalarFunction = std::function<torch::Tensor(const torch::Tensor&)>;

/// Central differences of fourth order. Elements that are not finite do not move: zero.
inline torch::Tensor numeric_gradient(const ScalarFunction& function, const torch::Tensor& at,
                                      double step = 1e-4) {
  const at::NoGradGuard no_gradients;
  const OneThread one_thread;
  auto each = at.sizes().vec();
  each.insert(each.begin(), at.numel());
  const auto one = torch::eye(at.numel(), torch::kFloat64).reshape(each);
  const auto there = [&](double steps) {
    return function(at.unsqueeze(0) + one * (steps * step)).reshape({at.numel()});
  };
  return ((8 * (there(1) - there(-1)) - (there(2) - there(-2))) / (12 * step)).reshape(at.sizes());
}

inline torch::Tensor automatic_gradient(const ScalarFunction& function, const torch::Tensor& at) {
  const torch::Tensor leaf = at.detach().clone().requires_grad_();
  function(leaf.unsqueeze(0)).sum().backward();
  REQUIRE(leaf.grad().defined());
  return leaf.grad();
}

/// Both gradients agree; elements that are not finite get exactly zero. Returns the largest
/// element.
inline double check_gradient(const ScalarFunction& function, const torch::Tensor& at,
                             double bound = 1e-6) {
  const auto automatic = automatic_gradient(function, at);
  const auto numeric = numeric_gradient(function, at);
  REQUIRE(automatic.isfinite().all().item<bool>());
  const double scale = largest(numeric);
  // Where a gradient is zero, the difference of two equal numbers of about 100 leaves 1e-10.
  CHECK(largest(automatic - numeric) <= bound * scale + 1e-9);
  CHECK(largest(automatic.masked_select(at::logical_not(at::isfinite(at)))) == 0);
  return scale;
}

/// CPU autocast to bfloat16 as a caller would switch it on, put back at the end of the scope.
struct CallersAutocast {
  CallersAutocast() {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  }
  ~CallersAutocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
  }
  CallersAutocast(const CallersAutocast&) = delete;
  CallersAutocast& operator=(const CallersAutocast&) = delete;

  /// Still on, and not only by name: a product of matrices comes out in bfloat16.
  bool on() const {
    return at::autocast::is_autocast_enabled(at::kCPU) &&
           at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16 &&
           at::matmul(torch::ones({2, 2}), torch::ones({2, 2})).scalar_type() == at::kBFloat16;
  }
};

}  // namespace homolog::test
