// SPDX-License-Identifier: Apache-2.0
// One backbone, loaded once and run on request, for benchmarks/backbone_forward.py:
//   backbone_forward --weights F --input F --dtype D --threads N [--device cuda] [--batch N]
// prints `ready`; each line `run` on stdin is one forward, answered by `seconds S`; at the end of
// stdin `peak_kb K`, the most memory that was resident at once.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/cuda.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include "homolog/backbones/load_transformer.hpp"
#include "homolog/weights/read_weights.hpp"
#include "homolog/weights/safetensors.hpp"

namespace {

void answer_requests(homolog::TransformerBackbone backbone, const std::string& input_path,
                     torch::Device device, std::int64_t batch) {
  backbone.to(device);
  const torch::Dtype dtype = backbone.model.patch_weight.scalar_type();
  const homolog::TensorFile file = homolog::read_safetensors(input_path);
  torch::Tensor input = homolog::to_torch(file, "input").to(device, dtype);
  if (batch > 1) input = input.repeat({batch, 1, 1, 1});
  const c10::InferenceMode inference;
  std::printf("ready\n");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    const auto begin = std::chrono::steady_clock::now();
    const homolog::Features features = backbone.features(input);
    if (device.is_cuda()) torch::cuda::synchronize();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("seconds %.6f\n", seconds.count());
    std::fflush(stdout);
  }
}

std::string peak_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:" && status >> word) return word;
  }
  return "0";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("One backbone, run on request");
  std::string weights_path, input_path, dtype_name = "float32", device_name = "cpu";
  int threads = 2, batch = 1;
  app.add_option("--weights", weights_path)->required();
  app.add_option("--input", input_path)->required();
  app.add_option("--dtype", dtype_name)->check(CLI::IsMember({"float32", "bfloat16", "float16"}));
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024));
  app.add_option("--device", device_name)->check(CLI::IsMember({"cpu", "cuda"}));
  app.add_option("--batch", batch, "the input so many times")->check(CLI::Range(1, 4096));
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(threads);
  const torch::Dtype dtype = dtype_name == "bfloat16"  ? torch::kBFloat16
                             : dtype_name == "float16" ? torch::kFloat16
                                                       : torch::kFloat32;
  const torch::Device device(device_name == "cuda" ? torch::kCUDA : torch::kCPU);
  try {
    if (device.is_cuda()) {
      if (!torch::cuda::is_available()) {
        throw homolog::DeviceError("--device cuda: this LibTorch sees no CUDA device");
      }
      // Float32 is float32 on both sides.
      at::globalContext().setAllowTF32CuBLAS(false);
      at::globalContext().setAllowTF32CuDNN(false);
    }
    const homolog::TensorFile weights = homolog::read_weights(weights_path);
    answer_requests(homolog::load_backbone_of(weights, "", dtype), input_path, device, batch);
  } catch (const homolog::Error& error) {
    std::fprintf(stderr, "backbone_forward: %s\n", error.what());
    return 1;
  }
  std::printf("peak_kb %s\n", peak_kilobytes().c_str());
  return 0;
}
