// SPDX-License-Identifier: Apache-2.0
// Matching keypoints to feature maps, rivals beside each other: argmax, window soft-argmax, global
// soft-argmax. Every rival's answers are compared with plain float64 loops before it is timed.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>

#include "axes.hpp"

namespace {

using namespace benchmarks;

void normalize(std::vector<float>& rows, std::size_t dim) {
  for (std::size_t begin = 0; begin < rows.size(); begin += dim) {
    double square = 0;
    for (std::size_t d = 0; d < dim; ++d)
      square += std::pow(static_cast<double>(rows[begin + d]), 2);
    for (std::size_t d = 0; d < dim; ++d) {
      rows[begin + d] =
          static_cast<float>(static_cast<double>(rows[begin + d]) / std::sqrt(square));
    }
  }
}

// Neighbouring cells are alike, as a backbone's are; a query is a cell's feature and some noise.
Inputs make_inputs(const Shape& shape) {
  std::mt19937 random(static_cast<unsigned>(shape.dim + shape.side + shape.queries));
  std::normal_distribution<float> normal;
  Inputs inputs{shape, std::vector<float>(shape.queries * shape.dim),
                std::vector<float>(shape.cells() * shape.dim)};
  for (float& value : inputs.cells) value = normal(random);
  for (std::size_t c = 1; c < shape.cells(); ++c) {
    for (std::size_t d = 0; d < shape.dim; ++d) {
      inputs.cells[c * shape.dim + d] += inputs.cells[(c - 1) * shape.dim + d] * 0.7F;
    }
  }
  normalize(inputs.cells, shape.dim);
  std::uniform_int_distribution<std::size_t> cell(0, shape.cells() - 1);
  const float noise = 1 / std::sqrt(static_cast<float>(shape.dim));
  for (std::size_t q = 0; q < shape.queries; ++q) {
    const std::size_t from = cell(random) * shape.dim;
    for (std::size_t d = 0; d < shape.dim; ++d) {
      inputs.queries[q * shape.dim + d] = inputs.cells[from + d] + noise * normal(random);
    }
  }
  normalize(inputs.queries, shape.dim);
  return inputs;
}

const char* name_of(Operation operation) {
  return operation == Operation::argmax               ? "argmax"
         : operation == Operation::window_soft_argmax ? "window"
                                                      : "soft";
}

// Shapes are visited in order, but repetitions of different ones interleave: keep them all.
const Inputs& inputs_of(const Shape& shape) {
  static std::map<std::tuple<std::size_t, std::size_t, std::size_t>, std::unique_ptr<Inputs>> known;
  auto& inputs = known[{shape.dim, shape.side, shape.queries}];
  if (!inputs) inputs = std::make_unique<Inputs>(make_inputs(shape));
  return *inputs;
}

const Answers& reference_of(Operation operation, const Inputs& inputs) {
  static std::map<std::tuple<Operation, std::size_t, std::size_t, std::size_t>, Answers> known;
  auto& answers = known[{operation, inputs.shape.dim, inputs.shape.side, inputs.shape.queries}];
  if (answers.empty()) scalar_rival().prepare(operation, inputs, 1)(answers);
  return answers;
}

// Positions to a hundredth of a cell; inputs are random, so there are no ties.
std::size_t wrong_answers(const Answers& found, const Answers& expected) {
  if (found.size() != expected.size()) return expected.size();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    wrong += !(std::abs(found[i] - expected[i]) < 0.01F);
  return wrong;
}

void run(benchmark::State& state, const Rival& rival, Operation operation, const Shape& shape,
         int threads, double peak) {
  const Inputs& inputs = inputs_of(shape);
  const auto call = rival.prepare(operation, inputs, threads);
  Answers answers;
  call(answers);
  if (const auto wrong = wrong_answers(answers, reference_of(operation, inputs)); wrong > 0) {
    state.SkipWithError((std::to_string(wrong) + " wrong answers").c_str());
    return;
  }
  for (auto _ : state) {
    call(answers);
    benchmark::DoNotOptimize(answers.data());
    benchmark::ClobberMemory();
  }
  const double work = shape.flop() / 1e9;
  state.counters["GFLOP/s"] =
      benchmark::Counter(work, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["GB/s"] =
      benchmark::Counter(static_cast<double>((shape.cells() + shape.queries) * shape.dim * 4) / 1e9,
                         benchmark::Counter::kIsIterationInvariantRate);
  if (peak > 0) {
    state.counters["of_peak"] =
        benchmark::Counter(work / (peak * threads), benchmark::Counter::kIsIterationInvariantRate);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double peak = fma_peak();
  benchmark::AddCustomContext("fma_peak_gflops", std::to_string(peak));
  for (const Rival& rival : {homolog_rival(), homolog_float32_rival(), homolog_bfloat16_rival(),
                             aten_rival(), eigen_rival(), faiss_rival()}) {
    if (!rival.prepare) continue;
    for (const auto operation :
         {Operation::argmax, Operation::window_soft_argmax, Operation::soft_argmax}) {
      for (const Shape& shape : shapes()) {
        if (!rival.prepare(operation, inputs_of({1, 1, 1}), 1)) continue;
        for (const int threads : {1, 2}) {
          const std::string name =
              std::string(name_of(operation)) + "/D:" + std::to_string(shape.dim) +
              "/grid:" + std::to_string(shape.side) + "/N:" + std::to_string(shape.queries) +
              "/threads:" + std::to_string(threads) + "/" + rival.name;
          benchmark::RegisterBenchmark(
              name.c_str(),
              [=](benchmark::State& state) { run(state, rival, operation, shape, threads, peak); })
              ->UseRealTime()
              ->Unit(benchmark::kMicrosecond);
        }
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
