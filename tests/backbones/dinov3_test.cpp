// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include "backbones/gold.hpp"
#include "homolog/backbones/dinov3.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

TensorFile gold_weights(bool swiglu) {
  return gold_file(expected_tensors<DinoV3Family>(tiny_dinov3(swiglu)));
}

DinoV3 gold_backbone(bool swiglu) {
  DinoV3 backbone;
  backbone.load(gold_weights(swiglu));
  return backbone;
}

torch::Tensor as_map(const Features& features) {
  return features.patch_tokens.transpose(1, 2)
      .reshape({1, -1, features.rows, features.cols})
      .contiguous();
}

}  // namespace

TEST_CASE("DINOv3 equals the original code") {
  DinoV3 backbone = gold_backbone(false);
  CHECK(backbone.model.heads == 2);  // told by the number of periods
  const auto image = gold_image(48, 80);
  const auto features = backbone.features(image);
  CHECK(features.rows == 3);
  CHECK(features.cols == 5);
  check_gold(features.class_token,
             {{.08578, .87103, 1.3051, -1.14573, .34864, .29017}, {-.51221, -.36648}, 26.152});
  check_gold(features.register_tokens,
             {{.71723, .68514, .50746, -.90855, 1.6273, -.61609}, {-.1427, .20119}, 105.594});
  check_gold(features.patch_tokens,
             {{.75764, .81114, .25675, -.81883, 1.6468, -.61956}, {-.14526, .93119}, 397.012});
  backbone.setting.layer = 0;
  check_gold(as_map(backbone.features(image)),
             {{1.13804, 1.26412, 1.20576, 1.23882, 1.39587, 1.28838}, {.96458, 1.18493}, 399.664});
}

TEST_CASE("DINOv3 with SwiGLU equals the original code") {
  DinoV3 backbone = gold_backbone(true);
  const auto image = gold_image(48, 80);
  const auto features = backbone.features(image);
  check_gold(features.class_token,
             {{-1.03902, -.11891, 1.75714, .00367, -1.04761, -.11549}, {.01221, -1.34144}, 27.106});
  check_gold(features.register_tokens,
             {{1.00074, -.60161, .34135, .46042, 1.37574, -1.9703}, {}, 106.609});
  check_gold(features.patch_tokens,
             {{.91078, -.64099, .24013, .68399, 1.22214, -2.05808}, {1.25703, .27885}, 398.465});
  backbone.setting.layer = 0;
  check_gold(as_map(backbone.features(image)),
             {{.27845, .43433, .35817, .41201, .59634, .45588}, {-.05949, .07847}, 382.03});
}

TEST_CASE("rotary angles are the published ones") {
  const auto periods = torch::tensor(homolog::detail::rope_periods(64));
  CHECK(periods[1].item<float>() == doctest::Approx(1.3335214F));
  const RotaryTable square = rotary_table(periods, 14, 14);
  CHECK(square.sine.sizes() == at::IntArrayRef({196, 32}));
  const auto sine = square.sine[0], cosine = square.cosine[0];
  CHECK(std::abs(sine[0].item<double>() - 0.4338838) < 1e-6);
  CHECK(std::abs(cosine[0].item<double>() - 0.9009688) < 1e-6);
  CHECK(std::abs(sine[15].item<double>() + 0.0777243) < 1e-6);
  CHECK(std::abs(cosine[15].item<double>() - 0.9969749) < 1e-6);

  // The published rows have the table twice over: index 31 and 32 are the halves' ends.
  const RotaryTable wide = rotary_table(periods, 2, 3);
  const std::pair<int, std::pair<double, double>> rows[] = {{0, {0, -1}},
                                                            {1, {-.7073417, -.7068717}},
                                                            {15, {-.0418816, .9991226}},
                                                            {16, {.8660252, -.5000003}},
                                                            {17, {-.0004436, -.9999999}},
                                                            {31, {-.0558294, .9984403}}};
  for (const auto& [at, values] : rows) {
    CHECK(std::abs(wide.sine[0][at].item<double>() - values.first) < 1e-6);
    CHECK(std::abs(wide.cosine[0][at].item<double>() - values.second) < 1e-6);
  }
  const RotaryTable odd = rotary_table(periods, 3, 3);
  CHECK(odd.sine[4].abs().max().item<double>() < 1e-7);
  CHECK(at::equal(odd.cosine[4], torch::ones(32)));
}

TEST_CASE("rotation keeps norms, and scores depend on coordinate differences alone") {
  const auto periods = torch::tensor(homolog::detail::rope_periods(64));
  const RotaryTable table = rotary_table(periods, 4, 6);
  torch::manual_seed(1);
  const auto query = torch::randn({1, 1, 1, 64}).expand({1, 24, 1, 64}).contiguous();
  const auto key = torch::randn({1, 1, 1, 64}).expand({1, 24, 1, 64}).contiguous();
  const auto before = query.norm(2, -1).clone();
  rotate_in_place(query, table);
  rotate_in_place(key, table);
  CHECK((query.norm(2, -1) - before).abs().max().item<float>() < 1e-5F);
  const auto scores = at::mm(query[0].squeeze(1), key[0].squeeze(1).t());
  const auto score = [&](int row, int col, int key_row, int key_col) {
    return scores[row * 6 + col][key_row * 6 + key_col].item<float>();
  };
  for (int row = 0; row < 3; ++row) {
    for (int col = 0; col < 4; ++col) {
      CHECK(score(row, col, row + 1, col + 2) == doctest::Approx(score(0, 0, 1, 2)).epsilon(1e-4));
    }
  }
  CHECK(score(0, 0, 1, 2) != doctest::Approx(score(0, 0, 2, 1)).epsilon(1e-3));
}

TEST_CASE("periods of the file are used as they are, others are computed") {
  TensorFile file = gold_weights(false);
  const auto image = gold_image(48, 80);
  const auto expected = gold_backbone(false).features(image).patch_tokens;
  file.tensors.erase("rope_embed.periods");
  file.metadata["homolog.heads"] = "2";  // without periods nothing tells the heads
  DinoV3 backbone;
  backbone.load(file);
  CHECK((backbone.features(image).patch_tokens - expected).abs().max().item<float>() < 1e-6F);
  add_tensor(file, "rope_embed.periods",
             torch::tensor({1.0F, 3.171875F, 10.0F, 31.625F}));  // rounded to bfloat16
  DinoV3 rounded;
  rounded.load(file);
  const auto difference =
      (rounded.features(image).patch_tokens - expected).abs().max().item<float>();
  CHECK(difference > 1e-6F);
  CHECK(difference < 1e-2F);
  // Whatever the dtype of the other weights, periods stay in float32.
  rounded.to(torch::kCPU, torch::kBFloat16);
  CHECK((rounded.model.rope_periods.scalar_type() == torch::kFloat32));
}

TEST_CASE("the mask silences biases, and without one only keys have none") {
  const auto image = gold_image(48, 80);
  const auto expected = gold_backbone(false).features(image).patch_tokens;
  TensorFile file = gold_weights(false);
  for (const int i : {0, 1}) {
    file.tensors.erase("blocks." + std::to_string(i) + ".attn.qkv.bias_mask");
  }
  DinoV3 without_mask;
  without_mask.load(file);
  CHECK(at::equal(without_mask.features(image).patch_tokens, expected));

  // The published files: biases and masks all zero. Biases that a zero mask meets count as zero.
  TensorFile masked = gold_weights(false), zero = gold_weights(false);
  for (const int i : {0, 1}) {
    const std::string bias = "blocks." + std::to_string(i) + ".attn.qkv.bias";
    add_tensor(masked, bias + "_mask", torch::zeros(96));
    add_tensor(zero, bias + "_mask", torch::zeros(96));
    add_tensor(zero, bias, torch::zeros(96));
  }
  DinoV3 a, b;
  a.load(masked);
  b.load(zero);
  CHECK(at::equal(a.features(image).patch_tokens, b.features(image).patch_tokens));
  CHECK_FALSE(at::equal(a.features(image).patch_tokens, expected));
  add_tensor(masked, "blocks.1.attn.qkv.bias_mask", torch::full({96}, NAN));
  CHECK_THROWS_WITH_AS(a.load(masked), doctest::Contains("blocks.1.attn.qkv.bias_mask"),
                       WeightsError);
}

TEST_CASE("pixels beyond the last whole patch are ignored") {
  const DinoV3 backbone = gold_backbone(false);
  const auto image = gold_image(63, 90);
  const auto features = backbone.features(image);
  CHECK(features.rows == 3);
  CHECK(features.cols == 5);
  const auto cut = backbone.features(image.slice(2, 0, 48).slice(3, 0, 80).contiguous());
  CHECK((features.patch_tokens - cut.patch_tokens).abs().max().item<float>() < 2e-6F);
  CHECK_THROWS_WITH_AS(backbone.features(gold_image(15, 80)), doctest::Contains("at least 16"),
                       ShapeError);
}

TEST_CASE("the other key styles give the same features") {
  for (const bool swiglu : {false, true}) {
    const TensorFile original = gold_weights(swiglu);
    const auto recognized = recognize(original);
    REQUIRE(recognized.has_value());
    CHECK(describe(*recognized) == "dinov3 of no published size (original keys, 2 blocks of 32)");
    const auto image = gold_image(48, 80);
    const auto expected = gold_backbone(swiglu).features(image).patch_tokens;
    for (const auto& file : {to_keys(original, *recognized, KeyStyle::huggingface),
                             to_keys(original, *recognized, KeyStyle::timm)}) {
      DinoV3 other;
      other.load(file);
      CHECK((other.features(image).patch_tokens - expected).abs().max().item<float>() < 1e-6F);
    }
  }
}

TEST_CASE("the satellite ViT-L brings its own statistics") {
  DinoV3 backbone;
  auto expected = expected_tensors<DinoV3Family>(published<DinoV3Family>("dinov3_vitl16"));
  TensorFile file;
  file.name = "vitl16";
  const auto zeros = torch::zeros(4 * 1024 * 1024);
  for (const auto& tensor : expected) {
    if (tensor.key.starts_with("local_cls_norm")) continue;
    add_tensor(file, tensor.key,
               zeros.slice(0, 0, c10::multiply_integers(tensor.shape)).reshape(tensor.shape));
  }
  backbone.load(file, "dinov3_vitl16");
  CHECK(backbone.normalization() == imagenet_normalization);
  add_tensor(file, "local_cls_norm.weight", torch::zeros(1024));
  add_tensor(file, "local_cls_norm.bias", torch::zeros(1024));
  backbone.load(file, "dinov3_vitl16");
  CHECK(backbone.normalization() == satellite_normalization);
}

TEST_CASE("a published model that lacks its last blocks is refused, unless it says so") {
  TensorFile file;
  file.name = "s";
  for (const auto& tensor :
       expected_tensors<DinoV3Family>(published<DinoV3Family>("dinov3_vits16"))) {
    if (tensor.optional || tensor.key.starts_with("blocks.1")) continue;  // 1, 10 and 11
    add_tensor(file, tensor.key, torch::zeros(tensor.shape));
  }
  DinoV3 backbone;
  CHECK_THROWS_WITH_AS(
      backbone.load(file),
      "s: recognised as dinov3 of no published size (original keys, 9 blocks of 384), expected the "
      "12 blocks of dinov3_vits16; 3 missing: blocks.1, blocks.10, blocks.11",
      WeightsError);
  for (const auto& tensor :
       expected_tensors<DinoV3Family>(published<DinoV3Family>("dinov3_vits16"))) {
    if (!tensor.optional && tensor.key.starts_with("blocks.1.")) {
      add_tensor(file, tensor.key, torch::zeros(tensor.shape));
    }
  }
  file.metadata["homolog.blocks"] = "10";
  backbone.load(file);
  CHECK(backbone.model.blocks.size() == 10);
}

TEST_CASE("gradients pass through the rotation, which works in place") {
  DinoV3 backbone;
  backbone.load(gold_weights(true), "", torch::kFloat64);
  auto& weight = backbone.model.blocks[0].qkv_weight;
  weight = weight.clone().requires_grad_();
  const auto image = gold_image(48, 80);
  // Weighted, since the final norm makes the plain sum of squares a constant.
  const auto weights = torch::linspace(-1, 1, 15 * 32, torch::kFloat64).reshape({1, 15, 32});
  const auto loss = [&] { return (backbone.features(image).patch_tokens * weights).sum(); };
  loss().backward();
  const auto gradients = weight.grad().clone();
  const at::NoGradGuard no_gradients;
  for (const auto& [row, col] : {std::pair{3, 5}, {37, 11}, {70, 2}}) {  // of q, k and v
    const double step = 1e-5;
    weight[row][col] += step;
    const double above = loss().item<double>();
    weight[row][col] -= 2 * step;
    const double below = loss().item<double>();
    weight[row][col] += step;
    const double expected = (above - below) / (2 * step);
    CHECK(std::abs(gradients[row][col].item<double>() - expected) <
          1e-6 + 1e-5 * std::abs(expected));
  }
}

TEST_CASE("heads that leave no room for rotary positions are refused") {
  TensorFile file = gold_weights(false);
  file.tensors.erase("rope_embed.periods");
  file.metadata["homolog.heads"] = "16";  // of 2 dimensions
  DinoV3 backbone;
  CHECK_THROWS_WITH_AS(backbone.load(file), doctest::Contains("16 heads of 2 dimensions"),
                       WeightsError);
}

TEST_CASE("keys are those before the rotation, and a model without biases has them too") {
  for (const bool qkv_bias : {true, false}) {
    Recognized sizes = tiny_dinov3(true);
    sizes.qkv_bias = qkv_bias;
    DinoV3 backbone;
    backbone.load(gold_file(expected_tensors<DinoV3Family>(sizes)));
    backbone.setting.layer = 0;
    backbone.setting.facet = Facet::key;
    const auto image = gold_image(48, 80);
    const auto& block = backbone.model.blocks[0];
    CHECK(block.qkv_bias.defined() == qkv_bias);
    const auto normed = homolog::detail::layer_norm(
        backbone.model, embed(backbone.model, image, PositionInterpolation::hub),
        block.norm1_weight, block.norm1_bias);
    const auto expected = at::linear(normed, block.qkv_weight).slice(2, 32, 64).slice(1, 5);
    const auto got = backbone.features(image).patch_tokens;  // the mask leaves keys without bias
    CHECK((got - expected).abs().max().item<float>() < 1e-6F);
  }
}

TEST_CASE("weights brought to another dtype do not keep their file in memory") {
  std::weak_ptr<const void> owner;
  DinoV3 backbone;
  {
    const TensorFile file = gold_weights(false);
    owner = file.owners.front();
    backbone.load(file, "", torch::kBFloat16);
  }
  CHECK(owner.expired());
  CHECK((backbone.model.patch_weight.scalar_type() == torch::kBFloat16));
  backbone.to(torch::kCPU);  // no dtype given: none changed
  CHECK((backbone.model.patch_weight.scalar_type() == torch::kBFloat16));
}
