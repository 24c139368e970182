// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include "backbones/gold.hpp"
#include "homolog/backbones/sam.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

Sam gold_backbone(torch::Dtype dtype = torch::kFloat32) {
  Sam backbone;
  backbone.load(gold_file(expected_tensors<SamFamily>(tiny_sam())), "", dtype);
  return backbone;
}

// The original's formula on one grid: all scores of all heads at once, in float64.
torch::Tensor plain_attention(const torch::Tensor& qkv, std::int64_t rows, std::int64_t cols,
                              const torch::Tensor& rel_pos_h, const torch::Tensor& rel_pos_w) {
  const auto batch = qkv.size(0), heads = qkv.size(3), dim = qkv.size(4);
  const auto parts = qkv.to(torch::kFloat64).permute({2, 0, 3, 1, 4});
  const auto h = relative_positions(rel_pos_h.to(torch::kFloat64), rows, rows);
  const auto w = relative_positions(rel_pos_w.to(torch::kFloat64), cols, cols);
  auto scores =
      at::matmul(parts[0] / std::sqrt(static_cast<double>(dim)), parts[1].transpose(-2, -1))
          .reshape({batch, heads, rows, cols, rows, cols});
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) {
      const auto query = parts[0].select(2, i * cols + j);  // [B, heads, d]
      scores.select(2, i).select(2, j) +=
          at::matmul(query, h[i].t()).unsqueeze(-1) + at::matmul(query, w[j].t()).unsqueeze(-2);
    }
  }
  const auto weights = scores.reshape({batch, heads, rows * cols, rows * cols}).softmax(-1);
  return at::matmul(weights, parts[2]).transpose(1, 2).reshape({batch, rows * cols, heads * dim});
}

}  // namespace

TEST_CASE("SAM equals the original code at each stage") {
  Sam backbone = gold_backbone();
  CHECK(backbone.model.heads == 2);  // told by the width of the relative positions
  CHECK(backbone.model.blocks[0].window == 3);
  CHECK(backbone.model.blocks[1].window == 0);
  CHECK(backbone.default_image_size() == 80);
  const auto image = gold_image(80, 80);
  check_gold(embed(backbone.model, image, backbone.position_interpolation),
             {{-.01635, .08214, -.04464, -.00113, -.04688, -.05362}, {.09621, -.00148}, 67.853});
  backbone.setting.layer = 0;
  check_gold(backbone.features(image).patch_tokens,
             {{.32138, -.15273, .16685, -.08439, .24164, -.84075}, {.05501, -.17086}, 194.263});
  backbone.setting.layer = 1;
  backbone.setting.final_norm = false;
  check_gold(backbone.features(image).patch_tokens,
             {{.33022, -.2438, .72244, -.26677, .29147, -1.0854}, {.05477, -.5772}, 334.721});
}

TEST_CASE("SAM's neck equals the original code") {
  const auto image = gold_image(80, 80);
  const auto neck_map = [](const Features& features) {
    CHECK(features.patch_tokens.sizes() == at::IntArrayRef({1, 25, 16}));
    CHECK_FALSE(features.class_token.defined());
    return features.patch_tokens.transpose(1, 2).contiguous();  // [1, 16, 5 * 5]
  };
  // The tiny model's last norm divides by deviations of 6e-4: float32 is 1.6e-4 off somewhere.
  const auto single = neck_map(gold_backbone().features(image));
  check_gold(
      single,
      {{-.95057, -1.89332, -1.90522, -1.91254, -2.02721, -.13267}, {1.82728, 2.04098}, 302.19},
      5e-4);
  const auto twice = neck_map(gold_backbone(torch::kFloat64).features(image));
  check_gold(twice,
             {{-.950581, -1.893318, -1.905224, -1.912540, -2.027215, -.132624},
              {1.827276, 2.040976},
              302.18965},
             2e-6);
  CHECK((single - twice).abs().max().item<double>() < 5e-4);
}

TEST_CASE("relative positions of two axes") {
  const auto table = [](int rows) { return torch::arange(rows, torch::kFloat32).unsqueeze(1); };
  const auto values = [](const torch::Tensor& positions) { return positions.squeeze(2); };
  CHECK(at::equal(values(relative_positions(table(5), 3, 3)),
                  torch::tensor({{2.F, 1.F, 0.F}, {3.F, 2.F, 1.F}, {4.F, 3.F, 2.F}})));
  const auto resized = values(relative_positions(table(9), 3, 3));
  CHECK((resized - torch::tensor({{4.F, 2.2F, .4F}, {5.8F, 4.F, 2.2F}, {7.6F, 5.8F, 4.F}}))
            .abs()
            .max()
            .item<float>() < 1e-5F);
  const auto longer = values(relative_positions(table(5), 4, 4))[0];
  CHECK((longer - torch::tensor({2.F, 1.2857144F, .5714286F, 0.F})).abs().max().item<float>() <
        1e-5F);
  // Unequal sides: a query's coordinate is stretched to the keys'.
  CHECK(relative_positions(table(7), 2, 4).sizes() == at::IntArrayRef({2, 4, 1}));
  CHECK(values(relative_positions(table(7), 2, 4))[1][0].item<float>() == 5.F);
}

TEST_CASE("windows cut and put together again") {
  torch::manual_seed(2);
  for (const auto& [rows, cols, window] :
       {std::tuple{5, 5, 3}, {64, 64, 14}, {4, 9, 3}, {2, 2, 7}, {6, 6, 3}}) {
    const auto x = torch::rand({2, rows * cols, 3});
    const auto windows = partition_windows(x, rows, cols, window);
    const auto count = ((rows + window - 1) / window) * ((cols + window - 1) / window);
    CHECK(windows.sizes() == at::IntArrayRef({2 * count, window * window, 3}));
    CHECK(at::equal(merge_windows(windows, rows, cols, window), x));
    CHECK(windows.sum().item<double>() == doctest::Approx(x.sum().item<double>()).epsilon(1e-4));
  }
}

TEST_CASE("attention in pieces equals the formula whole") {
  using homolog::detail::attend_with_relative_positions, homolog::detail::attention_score_limit;
  torch::manual_seed(3);
  // The largest takes several calls for one head on the CPU: 48 * 48 queries and keys.
  for (const auto& [batch, rows, cols, heads] :
       {std::tuple{2, 5, 7, 3}, {30, 14, 14, 4}, {1, 48, 48, 2}, {1, 1, 1, 1}}) {
    const auto qkv = torch::randn({batch, rows * cols, 3, heads, 8});
    const auto rel_pos_h = torch::randn({2 * rows - 1, 8}), rel_pos_w = torch::randn({9, 8});
    const auto expected = plain_attention(qkv, rows, cols, rel_pos_h, rel_pos_w);
    for (const auto limit : {std::int64_t{1}, attention_score_limit(torch::kCPU),
                             attention_score_limit(torch::kCUDA)}) {
      const auto got = attend_with_relative_positions(qkv, rows, cols, rel_pos_h, rel_pos_w, limit);
      CHECK((got - expected).abs().max().item<double>() < 2e-5);
    }
  }
}

TEST_CASE("other sizes equal timm, which resizes both tables alike") {
  // The gold weights in timm 1.0.31's VisionTransformerSAM, block norms with epsilon 1e-6.
  const struct {
    int height, width;
    Gold block0, block1;
  } sizes[] = {{64,
                112,
                {{.38848, -.14275, .09139, -.03905, .21989, -.83654}, {.03359, -.12615}, 214.595},
                {{.41161, -.21441, .6165, -.22336, .2893, -1.07486}, {-.02866, -.47565}, 367.046}},
               {160,
                96,
                {{.34331, -.15367, .08225, -.01459, .19634, -.77366}, {.01913, -.13464}, 476.472},
                {{.3588, -.2289, .61115, -.19167, .25773, -1.01627}, {.05106, -.55586}, 807.713}}};
  Sam backbone = gold_backbone();
  backbone.setting.final_norm = false;
  for (const auto& size : sizes) {
    const auto image = gold_image(size.height, size.width);
    backbone.setting.layer = 0;
    check_gold(backbone.features(image).patch_tokens, size.block0);
    backbone.setting.layer = 1;
    check_gold(backbone.features(image).patch_tokens, size.block1);
  }
}

TEST_CASE("grids of any shape have a neck map") {
  const Sam backbone = gold_backbone();
  for (const auto& [height, width] : {std::pair{64, 112}, {16, 16}, {160, 160}}) {
    const auto features = backbone.features(gold_image(height, width));
    CHECK(features.rows == height / 16);
    CHECK(features.cols == width / 16);
    CHECK(features.patch_tokens.sizes() == at::IntArrayRef({1, height * width / 256, 16}));
    CHECK(features.patch_tokens.isfinite().all().item<bool>());
  }
  CHECK_THROWS_AS(backbone.features(gold_image(81, 80)), ShapeError);
}

TEST_CASE("several pictures at once are the pictures one by one") {
  Sam backbone = gold_backbone();
  backbone.setting.final_norm = false;
  const auto a = gold_image(80, 80), b = a.flip(3).contiguous();
  const auto both = backbone.features(at::cat({a, b})).patch_tokens;
  CHECK((both[0] - backbone.features(a).patch_tokens[0]).abs().max().item<float>() < 2e-5F);
  CHECK((both[1] - backbone.features(b).patch_tokens[0]).abs().max().item<float>() < 2e-5F);
}

TEST_CASE("the neck follows the last block only, and keys are a facet as elsewhere") {
  Sam backbone = gold_backbone();
  const auto image = gold_image(80, 80);
  const auto neck = backbone.features(image).patch_tokens;
  backbone.setting.layer = 1;
  CHECK(at::equal(backbone.features(image).patch_tokens, neck));
  backbone.setting.layer = 0;
  CHECK(backbone.features(image).patch_tokens.size(2) == 32);
  backbone.setting.facet = Facet::key;
  CHECK(backbone.features(image).patch_tokens.size(2) == 32);
}

TEST_CASE("gradients reach the tables of relative positions") {
  Sam backbone = gold_backbone(torch::kFloat64);
  auto& block = backbone.model.blocks[0];
  block.rel_pos_h = block.rel_pos_h.clone().requires_grad_();
  const auto image = gold_image(80, 80);
  backbone.setting.final_norm = false;
  const auto loss = [&] { return backbone.features(image).patch_tokens.square().sum(); };
  loss().backward();
  const auto gradient = block.rel_pos_h.grad()[2][5].item<double>();
  const at::NoGradGuard no_gradients;
  const double step = 1e-5;
  block.rel_pos_h[2][5] += step;
  const double above = loss().item<double>();
  block.rel_pos_h[2][5] -= 2 * step;
  const double below = loss().item<double>();
  CHECK(gradient == doctest::Approx((above - below) / (2 * step)).epsilon(1e-5));
}

TEST_CASE("all key styles and prefixes give the same bytes") {
  const TensorFile original = gold_file(expected_tensors<SamFamily>(tiny_sam()));
  const auto recognized = recognize(original);
  REQUIRE(recognized.has_value());
  const auto image = gold_image(80, 80);
  const auto expected = gold_backbone().features(image).patch_tokens;
  TensorFile whole = to_keys(original, *recognized, KeyStyle::original);
  CHECK(whole.tensors.contains("image_encoder.neck.3.bias"));
  add_tensor(whole, "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
             torch::zeros({2, 128}));
  add_tensor(whole, "mask_decoder.iou_token.weight", torch::zeros({1, 256}));
  for (const auto& file : {to_keys(original, *recognized, KeyStyle::huggingface),
                           to_keys(original, *recognized, KeyStyle::timm), whole}) {
    Sam backbone;
    backbone.load(file);
    CHECK(at::equal(backbone.features(image).patch_tokens, expected));
  }
}
