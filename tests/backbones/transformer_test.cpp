// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include "backbones/gold.hpp"
#include "homolog/backbones/dinov2.hpp"
#include "homolog/backbones/dinov3.hpp"
#include "homolog/backbones/sam.hpp"

using namespace homolog;
using namespace homolog::test;

TEST_CASE("norms have the epsilon of their family") {
  const auto normed = [](const Transformer& model) {
    const auto x = torch::tensor({0.0F, 0.001F});
    return homolog::detail::layer_norm(model, x, torch::ones(2), torch::zeros(2))[1].item<double>();
  };
  DinoV2 dinov2;
  DinoV3 dinov3;
  Sam sam;
  dinov2.load(gold_file(expected_tensors<DinoV2Family>(tiny_dinov2(0, false))));
  dinov3.load(gold_file(expected_tensors<DinoV3Family>(tiny_dinov3(false))));
  sam.load(gold_file(expected_tensors<SamFamily>(tiny_sam())));
  CHECK(normed(dinov2.model) == doctest::Approx(0.4472136).epsilon(1e-6));
  CHECK(normed(sam.model) == doctest::Approx(0.4472136).epsilon(1e-6));
  CHECK(normed(dinov3.model) == doctest::Approx(0.1561738).epsilon(1e-6));
}

TEST_CASE("the MLP's GELU is the exact one, its SwiGLU gates with the first matrix") {
  const auto x = torch::tensor({{{-1.0F, 0.5F, 2.0F}}});
  TransformerBlock block;
  block.mlp_in_weight = block.mlp_out_weight = torch::eye(3);
  block.mlp_in_bias = block.mlp_out_bias = torch::zeros(3);
  const at::NoGradGuard no_gradients;
  const auto gelu = homolog::detail::mlp(block, x).flatten();
  const double expected[] = {-0.1586553, 0.3457312, 1.9545000};
  for (int i = 0; i < 3; ++i) CHECK(std::abs(gelu[i].item<double>() - expected[i]) < 1e-6);
  block.mlp_gate_weight = 2 * torch::eye(3);
  block.mlp_gate_bias = torch::zeros(3);
  const auto gated = homolog::detail::mlp(block, x).flatten();
  CHECK((gated - at::silu(2 * x.flatten()) * x.flatten()).abs().max().item<float>() < 1e-6F);
}
