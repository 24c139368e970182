// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include "homolog/backbones/detail/cpu_inference.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "homolog/backbones/dinov2.hpp"

using namespace homolog;

namespace {

double difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kDouble) - b.to(torch::kDouble)).abs().max().item<double>();
}

}  // namespace

TEST_CASE("tasks on LibTorch's threads: each once, no slot twice at a time") {
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 4}) {
    at::set_num_threads(threads);
    for (const std::size_t count : {0UL, 1UL, 2UL, 97UL}) {
      std::vector<std::atomic<int>> calls(count), busy(static_cast<std::size_t>(threads));
      std::atomic<bool> shared{false};
      homolog::detail::on_torch_threads(count, [&](std::size_t i, std::size_t slot) {
        if (++busy.at(slot) > 1) shared = true;
        ++calls[i];
        --busy.at(slot);
      });
      for (const auto& number : calls) CHECK(number == 1);
      CHECK(!shared);
    }
  }
  at::set_num_threads(before);
}

TEST_CASE("packed weights give at::linear's numbers, GELU included") {
  const at::NoGradGuard no_gradients;
  at::manual_seed(1);
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    const double tolerance = dtype == torch::kFloat32 ? 2e-5 : 4e-2;
    if (!homolog::detail::OneDnnLinear::gives_the_same(dtype)) {
      MESSAGE("no packed weights here for ", std::string(c10::toString(dtype)));
    }
    for (const std::int64_t rows : {1, 3, 257, 1370}) {
      const auto x = torch::randn({2, rows, 96}).to(dtype);
      const auto weight = torch::randn({200, 96}).mul(0.1).to(dtype);
      const auto bias = torch::randn({200}).to(dtype);
      homolog::detail::PackedWeights packed;
      const auto exact =
          at::linear(x.to(torch::kDouble), weight.to(torch::kDouble), bias.to(torch::kDouble));
      CHECK(difference(homolog::detail::linear(x, weight, bias, packed), exact) < tolerance);
      CHECK(difference(
                homolog::detail::linear(x, weight, bias, packed, homolog::detail::Activation::gelu),
                at::gelu(exact)) < tolerance);
      CHECK(difference(homolog::detail::linear(x, weight, {}, packed),
                       exact - bias.to(torch::kDouble)) < tolerance);
    }
  }
}

TEST_CASE("attention of the CPU path is LibTorch's") {
  at::manual_seed(2);
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    for (const std::int64_t dim : {64, 80, 24}) {  // the last one has no kernel
      const auto qkv = torch::randn({2, 101, 3, 3, dim}).to(dtype);
      const auto expected = homolog::detail::attend_heads(qkv);  // records: LibTorch's
      const at::NoGradGuard no_gradients;
      CHECK(difference(homolog::detail::attend_heads(qkv), expected) <
            (dtype == torch::kFloat32 ? 2e-6 : 2e-2));
    }
  }
}

TEST_CASE("features with and without gradients agree, after weights have changed too") {
  DinoV2 backbone;
  backbone.randomize("dinov2_vits14", 3);
  backbone.keep_blocks(2);
  const auto input = torch::randn({1, 3, 56, 70});
  const auto without = [&] {
    const at::NoGradGuard no_gradients;
    return backbone.features(input).patch_tokens;
  };
  const auto first = without();
  CHECK(difference(first, backbone.features(input).patch_tokens) < 2e-5);
  {
    const at::NoGradGuard no_gradients;
    backbone.model.blocks[1].mlp_in_weight.mul_(3);  // in place, as an optimiser does
  }
  const auto second = without();
  CHECK(difference(first, second) > 1e-2);
  CHECK(difference(second, backbone.features(input).patch_tokens) < 2e-5);
  backbone.model.blocks[0].qkv_weight = backbone.model.blocks[0].qkv_weight * 2;  // another tensor
  CHECK(difference(without(), backbone.features(input).patch_tokens) < 2e-5);

  const DinoV2 copy = backbone;
  CHECK(difference(copy.features(input).patch_tokens, without()) < 2e-5);
}

TEST_CASE("two threads may share a backbone") {
  DinoV2 backbone;
  backbone.randomize("dinov2_vits14", 3);
  backbone.keep_blocks(1);
  const auto input = torch::randn({1, 3, 56, 56});
  std::vector<torch::Tensor> answers(4);
  std::vector<std::thread> threads;
  for (auto& answer : answers) {
    threads.emplace_back([&] {
      const at::NoGradGuard no_gradients;
      answer = backbone.features(input).patch_tokens;
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& answer : answers) CHECK(difference(answer, answers.front()) == 0);
}

TEST_CASE("autocast still decides the dtype of a product") {
  const at::NoGradGuard no_gradients;
  const auto x = torch::randn({4, 32}), weight = torch::randn({16, 32});
  homolog::detail::PackedWeights packed;
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const auto result = homolog::detail::linear(x, weight, {}, packed);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  CHECK((result.scalar_type() == at::autocast::get_autocast_dtype(at::kCPU)));
}
