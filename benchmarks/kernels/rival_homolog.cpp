// SPDX-License-Identifier: Apache-2.0
#include <Eigen/Core>

#include <algorithm>
#include <memory>

#include "axes.hpp"
#include "homolog/kernels/bfloat16_scan.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"

namespace benchmarks {

namespace {

template <class M>
std::function<void(Answers&)> matching(const M& matcher, const Inputs& inputs, int threads,
                                       homolog::InstructionSet instructions) {
  const auto side = static_cast<int>(inputs.shape.side);
  auto target =
      std::make_shared<homolog::FeatureMap>(side, side, static_cast<int>(inputs.shape.dim));
  std::copy(inputs.cells.begin(), inputs.cells.end(), target->values.data());
  auto workspace = std::make_shared<homolog::KernelWorkspace>();
  return [=, &inputs](Answers& answers) {
    const homolog::MatrixView queries(inputs.queries.data(),
                                      static_cast<Eigen::Index>(inputs.shape.queries),
                                      static_cast<Eigen::Index>(inputs.shape.dim));
    const homolog::Execution execution{threads, instructions, workspace.get()};
    const auto matches = homolog::match_descriptors(matcher, queries, *target, execution);
    answers.resize(2 * matches.size());
    for (std::size_t i = 0; i < matches.size(); ++i) {
      answers[2 * i] = static_cast<float>(matches[i].cell.x);
      answers[2 * i + 1] = static_cast<float>(matches[i].cell.y);
    }
  };
}

std::function<void(Answers&)> matching(Operation operation, const Inputs& inputs, int threads,
                                       homolog::InstructionSet instructions) {
  switch (operation) {
    case Operation::argmax:
      return matching(homolog::Argmax{}, inputs, threads, instructions);
    case Operation::window_soft_argmax:
      return matching(homolog::WindowSoftArgmax{{window_radius, window_temperature}}, inputs,
                      threads, instructions);
    default:
      return matching(homolog::SoftArgmax{{soft_temperature}}, inputs, threads, instructions);
  }
}

}  // namespace

Rival homolog_rival() {
  return {"homolog", [](Operation operation, const Inputs& inputs, int threads) {
            return matching(operation, inputs, threads, homolog::active_instruction_set());
          }};
}

Rival homolog_float32_rival() {
  return {"homolog_f32", [](Operation operation, const Inputs& inputs, int threads) {
            const auto best = homolog::active_instruction_set();
            return matching(operation, inputs, threads,
                            best == homolog::InstructionSet::avx512_bf16
                                ? homolog::InstructionSet::avx512
                                : best);
          }};
}

Rival homolog_bfloat16_rival() {
  return {"homolog_bf16", [](Operation operation, const Inputs& inputs, int threads) {
            std::function<void(Answers&)> none;
            if (operation != Operation::argmax) return none;
            const auto side = static_cast<int>(inputs.shape.side);
            auto target = std::make_shared<homolog::FeatureMap>(side, side,
                                                                static_cast<int>(inputs.shape.dim));
            std::copy(inputs.cells.begin(), inputs.cells.end(), target->values.data());
            auto rounded = std::make_shared<homolog::Bfloat16Map>(homolog::to_bfloat16(*target));
            if (rounded->stride == 0) return none;
            auto workspace = std::make_shared<homolog::KernelWorkspace>();
            return std::function<void(Answers&)>([=, &inputs](Answers& answers) {
              const homolog::MatrixView queries(inputs.queries.data(),
                                                static_cast<Eigen::Index>(inputs.shape.queries),
                                                static_cast<Eigen::Index>(inputs.shape.dim));
              const homolog::Execution execution{threads, homolog::active_instruction_set(),
                                                 workspace.get()};
              const auto peaks = homolog::find_peaks(queries, *target, *rounded, execution);
              answers.resize(2 * peaks.size());
              for (std::size_t i = 0; i < peaks.size(); ++i) {
                answers[2 * i] = static_cast<float>(peaks[i].col);
                answers[2 * i + 1] = static_cast<float>(peaks[i].row);
              }
            });
          }};
}

}  // namespace benchmarks
