// SPDX-License-Identifier: Apache-2.0
// Matching on a CUDA device, next to what a user writes in eager ATen. Features lie on the device;
// both sides take turns on one stream, and their answers are compared first. The matrix product
// alone, which both sides need, is the floor.
#include <ATen/Context.h>
#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/cuda.h>
#include <torch/types.h>
#include <torch/version.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "cuda_matching_kernels.hpp"

namespace {

using namespace benchmarks;

struct Case {
  const char* name;
  std::int64_t pairs;
  std::int64_t queries;  // of each pair
};

constexpr Case cases[] = {
    {"one pair, 20 queries", 1, 20},
    {"64 pairs, 20 queries each", 64, 20},
    {"one target, 1369 queries", 1, 1369},
};

void check(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
}

// Float32 features on the device, L2-normalised; the first dimension is left out for a single pair.
struct Features {
  torch::Tensor queries;  // [pairs, queries, D]
  torch::Tensor targets;  // [pairs, cells, D]
  int side;               // of the square grid
};

torch::Tensor random_descriptors(std::int64_t pairs, std::int64_t count, std::int64_t dim) {
  auto values = at::randn({pairs, count, dim}, torch::kCUDA);
  values.div_(values.norm(2, -1, true));
  return pairs == 1 ? values.squeeze(0) : values;
}

torch::Tensor product(const Features& features) {
  return at::matmul(features.queries, features.targets.transpose(-2, -1));
}

void product_into(torch::Tensor& tile, const Features& features) {
  const auto targets = features.targets.transpose(-2, -1);
  if (tile.dim() == 2) {
    at::mm_out(tile, features.queries, targets);
  } else {
    at::bmm_out(tile, features.queries, targets);
  }
}

// Ours: one product into a tile that stays, one kernel over its rows.
void match(const Features& features, Decoding decoding, torch::Tensor& tile,
           torch::Tensor& answers) {
  product_into(tile, features);
  decode(tile.const_data_ptr<float>(), static_cast<std::size_t>(answers.size(0)), features.side,
         features.side, decoding, answers.mutable_data_ptr<float>(),
         c10::cuda::getCurrentCUDAStream().stream());
}

struct Found {
  torch::Tensor x, y, score;  // one for each query
};

Found argmax_in_aten(const Features& features) {
  const auto [score, place] = product(features).max(-1);
  return {place.remainder(features.side).to(torch::kFloat32),
          place.floor_divide(features.side).to(torch::kFloat32), score};
}

// Where the cells are: computed once, as a user would.
struct Cells {
  explicit Cells(int side)
      : x(at::arange(side, torch::device(torch::kCUDA).dtype(torch::kFloat32)).repeat({side})),
        y(at::arange(side, x.options()).repeat_interleave(side)),
        both(at::stack({x, y}, 1)) {}
  torch::Tensor x, y;  // [cells]
  torch::Tensor both;  // [cells, 2]
};

Found window_in_aten(const Features& features, const Cells& cells) {
  const auto similarity = product(features);
  const auto [score, place] = similarity.max(-1, /*keepdim=*/true);
  const auto outside =
      ((cells.x - place.remainder(features.side)).abs() > window_radius)
          .logical_or((cells.y - place.floor_divide(features.side)).abs() > window_radius);
  const auto inside = similarity.masked_fill(outside, -std::numeric_limits<float>::infinity());
  const auto weights = at::softmax(inside * window_temperature, -1);
  const auto positions = at::matmul(weights, cells.both);  // faster than two products and two sums
  return {positions.select(-1, 0), positions.select(-1, 1), score.squeeze(-1)};
}

// Every query whose best two cells are not as good as equal has the same answer on both sides.
void require_same(const std::string& title, const torch::Tensor& answers, const Found& found,
                  const torch::Tensor& similarity, double tolerance) {
  const auto ours = answers.cpu();
  const auto on_host = [](const torch::Tensor& values) { return values.flatten().cpu(); };
  const auto x = on_host(found.x), y = on_host(found.y), score = on_host(found.score);
  const auto best = std::get<0>(similarity.topk(2, -1)).reshape({-1, 2}).cpu();
  const auto value = [](const torch::Tensor& values, std::int64_t i) {
    return static_cast<double>(values.const_data_ptr<float>()[i]);
  };
  std::int64_t compared = 0;
  for (std::int64_t q = 0; q < ours.size(0); ++q) {
    const bool score_is_same =
        std::abs(value(ours, answer_width * q + 2) - value(score, q)) <= 1e-5;
    const bool is_clear = value(best, 2 * q) - value(best, 2 * q + 1) > 1e-5;
    const bool position_is_same =
        std::abs(value(ours, answer_width * q) - value(x, q)) <= tolerance &&
        std::abs(value(ours, answer_width * q + 1) - value(y, q)) <= tolerance;
    if (!score_is_same || (is_clear && !position_is_same)) {
      char text[160];
      std::snprintf(text, sizeof text,
                    ": query %lld is (%.4f, %.4f) at %.6f, ATen's (%.4f, %.4f) at %.6f",
                    static_cast<long long>(q), value(ours, answer_width * q),
                    value(ours, answer_width * q + 1), value(ours, answer_width * q + 2),
                    value(x, q), value(y, q), value(score, q));
      throw std::runtime_error(title + text);
    }
    compared += is_clear;
  }
  if (2 * compared < ours.size(0)) throw std::runtime_error(title + ": hardly a clear maximum");
}

// Time on the stream, launches included where they take longer than the kernels.
class Stopwatch {
 public:
  Stopwatch() {
    check(cudaEventCreate(&begin_));
    check(cudaEventCreate(&end_));
  }
  ~Stopwatch() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  double microseconds(const std::function<void()>& call, int repeats) const {
    const cudaStream_t stream = c10::cuda::getCurrentCUDAStream().stream();
    check(cudaEventRecord(begin_, stream));
    for (int i = 0; i < repeats; ++i) call();
    check(cudaEventRecord(end_, stream));
    check(cudaEventSynchronize(end_));
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin_, end_));
    return 1e3 * static_cast<double>(milliseconds) / repeats;
  }

 private:
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Side {
  std::function<void()> call;
  int repeats = 0;            // a round
  std::vector<double> times;  // [us] of each round
};

void take_turns(std::vector<Side>& sides, int rounds) {
  constexpr double round_time = 5000;  // [us]
  const Stopwatch stopwatch;
  for (Side& side : sides) {
    stopwatch.microseconds(side.call, 10);  // warm-up
    side.repeats = static_cast<int>(
        std::clamp(round_time / stopwatch.microseconds(side.call, 10), 10.0, 1000.0));
  }
  for (int round = 0; round < rounds; ++round) {
    for (Side& side : sides) side.times.push_back(stopwatch.microseconds(side.call, side.repeats));
  }
}

// A line of the table.
std::string measure(const Case& what, int dim, int side, Decoding decoding, int rounds) {
  const std::int64_t cells = std::int64_t{side} * side;
  const Features features{random_descriptors(what.pairs, what.queries, dim),
                          random_descriptors(what.pairs, cells, dim), side};
  const Cells places(side);
  auto tile = product(features);
  auto answers = at::empty({what.pairs * what.queries, answer_width}, tile.options());
  const bool window = decoding == Decoding::window_soft_argmax;
  const char* const decoder = window ? "window" : "argmax";
  const std::string title = std::string(what.name) + ", D " + std::to_string(dim) + ", " +
                            std::to_string(side) + "x" + std::to_string(side) + ", " + decoder;
  const auto in_aten = [&] {
    return window ? window_in_aten(features, places) : argmax_in_aten(features);
  };
  match(features, decoding, tile, answers);
  require_same(title, answers, in_aten(), product(features), window ? 1e-3 : 0);

  std::vector<Side> sides(3);
  sides[0].call = [&] { match(features, decoding, tile, answers); };
  sides[1].call = [&] { in_aten(); };
  sides[2].call = [&] { product_into(tile, features); };
  take_turns(sides, rounds);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < sides[0].times.size(); ++i) {
    ratios.push_back(sides[1].times[i] / sides[0].times[i]);
  }
  char line[200];
  std::snprintf(line, sizeof line, "| %s | %d | %dx%d | %s | %.1f | %.1f | %.2f | %.1f |\n",
                what.name, dim, side, side, decoder, median(sides[0].times), median(sides[1].times),
                median(ratios), median(sides[2].times));
  return line;
}

std::string heading(std::uint64_t seed) {
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, c10::cuda::getCurrentCUDAStream().device_index()));
  return std::string(properties.name) + ", LibTorch " + TORCH_VERSION +
         ", float32 without TF32, seed " + std::to_string(seed) +
         "\n\n| case | D | grid | decoder | us homolog | us ATen | ratio | us product alone |\n"
         "|---|---|---|---|---|---|---|---|\n";
}

void run(std::uint64_t seed, int rounds, const std::string& output) {
  const c10::InferenceMode inference;
  at::globalContext().setAllowTF32CuBLAS(false);
  at::manual_seed(seed);
  std::string text;
  const auto add = [&](const std::string& part) {
    std::printf("%s", part.c_str());
    std::fflush(stdout);
    text += part;
  };
  add(heading(seed));
  for (const Case& what : cases) {
    for (const int dim : {384, 768, 1024}) {
      for (const int side : {16, 37, 60}) {
        for (const auto decoding : {Decoding::argmax, Decoding::window_soft_argmax}) {
          add(measure(what, dim, side, decoding, rounds));
        }
      }
    }
  }
  if (output.empty()) return;
  std::ofstream file(output);
  file << text;
  if (!file.flush()) throw std::runtime_error("writing " + output + " failed");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Matching on a CUDA device, next to ATen");
  int rounds = 15;
  std::uint64_t seed = std::random_device{}();
  std::string output;
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 1000));
  app.add_option("--seed", seed, "of the features; a fresh one where none is given");
  app.add_option("--output", output, "write the table to this file");
  CLI11_PARSE(app, argc, argv);
  if (!torch::cuda::is_available()) {
    std::printf("[skipped] no CUDA device here\n");
    return 0;
  }
  try {
    run(seed, rounds, output);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cuda_matching: %s\n", error.what());
    return 1;
  }
  return 0;
}
