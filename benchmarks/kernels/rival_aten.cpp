// SPDX-License-Identifier: Apache-2.0
// LibTorch eager: one matrix product and what users write behind it.
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <torch/types.h>

#include <limits>

#include "axes.hpp"

namespace benchmarks {

namespace {

struct Tensors {
  torch::Tensor queries, cells, x, y;
};

torch::Tensor positions(const torch::Tensor& probability, const Tensors& in) {
  return at::stack({(probability * in.x).sum(1), (probability * in.y).sum(1)}, 1);
}

torch::Tensor answer(Operation operation, const Tensors& in, std::int64_t side) {
  const auto similarity = at::matmul(in.queries, in.cells.t());
  if (operation == Operation::soft_argmax) {
    return positions(at::softmax(similarity * soft_temperature, 1), in);
  }
  const auto peak = similarity.argmax(1);
  const auto row = at::floor_divide(peak, side), col = at::remainder(peak, side);
  if (operation == Operation::argmax) return at::stack({col, row}, 1).to(torch::kFloat32);
  const auto near_x = (in.x.unsqueeze(0) - col.unsqueeze(1)).abs() <= window_radius;
  const auto near_y = (in.y.unsqueeze(0) - row.unsqueeze(1)).abs() <= window_radius;
  const auto inside = similarity.masked_fill(at::logical_not(at::logical_and(near_x, near_y)),
                                             -std::numeric_limits<float>::infinity());
  return positions(at::softmax(inside * window_temperature, 1), in);
}

}  // namespace

Rival aten_rival() {
  return {"ATen", [](Operation operation, const Inputs& inputs, int threads) {
            const auto side = static_cast<std::int64_t>(inputs.shape.side);
            const auto view = [&](const std::vector<float>& values, std::size_t rows) {
              return torch::from_blob(
                  const_cast<float*>(values.data()),
                  {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(inputs.shape.dim)},
                  torch::kFloat32);
            };
            const auto cells = torch::arange(side * side);
            const Tensors tensors{view(inputs.queries, inputs.shape.queries),
                                  view(inputs.cells, inputs.shape.cells()),
                                  at::remainder(cells, side).to(torch::kFloat32),
                                  at::floor_divide(cells, side).to(torch::kFloat32)};
            return [=](Answers& answers) {
              const c10::InferenceMode inference;
              if (at::get_num_threads() != threads) at::set_num_threads(threads);
              const auto found = answer(operation, tensors, side).contiguous();
              answers.assign(found.const_data_ptr<float>(),
                             found.const_data_ptr<float>() + found.numel());
            };
          }};
}

}  // namespace benchmarks
