// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include "backbones/gold.hpp"
#include "homolog/backbones/dinov2.hpp"
#include "homolog/weights/safetensors.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

#include <cstdio>

using namespace homolog;
using namespace homolog::test;

namespace {

Recognized tiny(int registers, bool swiglu) { return tiny_dinov2(registers, swiglu); }

DinoV2 gold_backbone(int registers, bool swiglu) {
  DinoV2 backbone;
  backbone.load(gold_file(expected_tensors<DinoV2Family>(tiny(registers, swiglu))));
  backbone.model.heads = 2;  // 16 a head: no file tells, published models have 64
  return backbone;
}

std::filesystem::path real_weights() {
  const char* path = std::getenv("HOMOLOG_VITS14_WEIGHTS");
  return path == nullptr ? "" : path;
}

}  // namespace

TEST_CASE("the deterministic fill is the one the gold vectors were made with") {
  CHECK(fnv1a32("cls_token") == 272141497U);
  CHECK(fnv1a32("blocks.0.ls1.gamma") == 372862672U);
  const auto values = gold_tensor("cls_token", {1, 1, 32}).flatten();
  CHECK(values[0].item<float>() == doctest::Approx(0.00188484F));
  CHECK(values[1].item<float>() == doctest::Approx(-0.06296872F));
  CHECK(values[2].item<float>() == doctest::Approx(-0.09820711F));
}

TEST_CASE("DINOv2 plain equals the original code") {
  const DinoV2 backbone = gold_backbone(0, false);
  CHECK(backbone.position_interpolation == PositionInterpolation::hub);
  const auto square = backbone.features(gold_image(70, 70));
  check_gold(square.class_token,
             {{.27055, 1.00472, .30894, -1.58836, .86172, .69129}, {-1.08016, .3968}, 26.689});
  check_gold(square.patch_tokens,
             {{.6359, .88395, .42286, -.66403, 1.36103, -.51958}, {-.41654, 1.00562}, 656.707});
  const auto wide = backbone.features(gold_image(56, 84));
  CHECK(wide.rows == 4);
  CHECK(wide.cols == 6);
  check_gold(wide.class_token,
             {{.26852, 1.00714, .30739, -1.58755, .86082, .69201}, {-1.08167, .39831}, 26.695});
  check_gold(wide.patch_tokens,
             {{.6454, .91655, .38624, -.63922, 1.35113, -.46141}, {-.26757, .88974}, 630.322});
}

TEST_CASE("DINOv2 plain: each stage equals the original code on a non-square input") {
  DinoV2 backbone = gold_backbone(0, false);
  check_gold(
      interpolate_positions(backbone.model.positions.slice(1, 1), 4, 6, PositionInterpolation::hub),
      {{.03281, .09044, .10553, .07098, .00306, -.06631}, {-.00259, .05913}, 37.038});
  const auto tokens = embed(backbone.model, gold_image(56, 84), PositionInterpolation::hub);
  CHECK(tokens.sizes() == at::IntArrayRef({1, 25, 32}));
  check_gold(tokens, {{}, {}, 90.578});
  check_gold(apply_block(backbone.model, backbone.model.blocks[0], tokens,
                         make_token_grid(backbone.model, 56, 84)),
             {{.2586, .24535, -.1348, -.47165, .28571, .06015}, {.08794, .57595}, 315.532});
  backbone.setting.facet = Facet::key;
  const auto keys = backbone.features(gold_image(56, 84));
  check_gold(at::cat({keys.class_token.unsqueeze(1), keys.patch_tokens}, 1),
             {{-.1273, .49821, -.80914, .75346, -.9082, .63458}, {-.79365, .61293}, 476.61});
}

TEST_CASE("DINOv2 with registers equals the original code") {
  const DinoV2 backbone = gold_backbone(4, false);
  CHECK(backbone.position_interpolation == PositionInterpolation::hub_registers);
  const auto square = backbone.features(gold_image(70, 70));
  check_gold(square.class_token, {{.20072, 1.1479, .23558, -1.46667, .54655, 1.06166}, {}, 27.598});
  check_gold(square.patch_tokens,
             {{.62616, .87975, .43503, -.66906, 1.36292, -.53084}, {-.41184, 1.02285}, 656.461});
  CHECK(square.register_tokens.sizes() == at::IntArrayRef({1, 4, 32}));
  const auto wide = backbone.features(gold_image(56, 84));
  check_gold(wide.class_token, {{.19853, 1.15033, .23384, -1.46557, .54557, 1.06225}, {}, 27.601});
  check_gold(wide.patch_tokens,
             {{.6063, .91785, .40941, -.64935, 1.35655, -.43679}, {-.2807, .91422}, 629.037});
}

TEST_CASE("DINOv2 with SwiGLU equals the original code") {
  const DinoV2 backbone = gold_backbone(0, true);
  const auto square = backbone.features(gold_image(70, 70));
  check_gold(square.class_token,
             {{-.06204, -1.35063, .13019, .53043, 1.61099, -.85082}, {}, 27.742});
  check_gold(square.patch_tokens,
             {{1.03928, .42217, .3484, -.80764, .91869, -.12239}, {.90583, .6198}, 653.96});
  const auto wide = backbone.features(gold_image(56, 84));
  check_gold(wide.class_token, {{-.05679, -1.35441, .13454, .52663, 1.61107, -.84976}, {}, 27.736});
  check_gold(wide.patch_tokens,
             {{1.05696, .39932, .25417, -.76125, .9398, -.02686}, {1.34375, .35008}, 628.719});
}

TEST_CASE("Hugging Face and original keys of the same weights give the same bytes") {
  const auto original = gold_file(expected_tensors<DinoV2Family>(tiny(4, false)));
  const auto recognized = recognize(original);
  REQUIRE(recognized.has_value());
  DinoV2 from_original, from_huggingface;
  from_original.load(original);
  from_huggingface.load(to_keys(original, *recognized, KeyStyle::huggingface));
  const auto image = gold_image(56, 84);
  CHECK(at::equal(from_original.features(image).patch_tokens,
                  from_huggingface.features(image).patch_tokens));
}

TEST_CASE("timm keys of the same weights give the same features by timm's position rule") {
  for (const auto& [registers, swiglu] : {std::pair{0, false}, {4, false}, {0, true}}) {
    const auto original = gold_file(expected_tensors<DinoV2Family>(tiny(registers, swiglu)));
    const auto recognized = recognize(original);
    REQUIRE(recognized.has_value());
    const auto timm = to_keys(original, *recognized, KeyStyle::timm);
    CHECK_FALSE(timm.tensors.contains("mask_token"));
    CHECK(timm.tensors.at("pos_embed").shape[1] == (registers > 0 ? 25 : 26));
    CHECK(timm.tensors.contains("reg_token") == (registers > 0));
    CHECK(timm.tensors.contains("blocks.0.mlp.fc1.weight"));
    DinoV2 from_original, from_timm;
    from_original.load(original);
    from_original.position_interpolation = PositionInterpolation::hub_registers;
    from_timm.load(timm);
    CHECK(from_timm.position_interpolation == PositionInterpolation::hub_registers);
    const auto image = gold_image(56, 84);
    CHECK(at::equal(from_original.features(image).patch_tokens,
                    from_timm.features(image).patch_tokens));
  }
}

TEST_CASE("a zero LayerScale leaves the normalised embedding") {
  DinoV2 backbone = gold_backbone(0, false);
  for (auto& block : backbone.model.blocks) {
    block.scale1 = at::zeros_like(block.scale1);
    block.scale2 = at::zeros_like(block.scale2);
  }
  const auto image = gold_image(70, 70);
  const auto expected = homolog::detail::layer_norm(
      backbone.model, embed(backbone.model, image, PositionInterpolation::hub),
      backbone.model.norm_weight, backbone.model.norm_bias);
  CHECK(at::equal(backbone.features(image).patch_tokens, expected.slice(1, 1)));
}

TEST_CASE("without positions, permuted patches give permuted features") {
  DinoV2 backbone = gold_backbone(0, false);
  backbone.model.positions = at::zeros_like(backbone.model.positions);
  const auto image = gold_image(70, 70);
  const auto swapped =
      at::cat({image.slice(2, 14, 28), image.slice(2, 0, 14), image.slice(2, 28)}, 2);
  const auto plain = backbone.features(image).patch_tokens.reshape({5, 5, 32});
  const auto moved = backbone.features(swapped).patch_tokens.reshape({5, 5, 32});
  CHECK((plain[0] - moved[1]).abs().max().item<float>() < 2e-5F);
  CHECK((plain[1] - moved[0]).abs().max().item<float>() < 2e-5F);
  CHECK((plain[4] - moved[4]).abs().max().item<float>() < 2e-5F);
}

TEST_CASE("layers, blocks and the batch path") {
  DinoV2 backbone = gold_backbone(0, false);
  const auto image = gold_image(56, 84);
  backbone.setting.layer = 0;
  backbone.setting.final_norm = false;
  const auto block0 = backbone.features(image).patch_tokens;
  DinoV2 cut = gold_backbone(0, false);
  cut.keep_blocks(1);
  cut.setting.final_norm = false;
  CHECK(at::equal(cut.features(image).patch_tokens, block0));

  InputBatch batch(2, {84, 56});
  std::copy_n(image.const_data_ptr<float>(), batch.picture_floats(), batch.picture(1));
  const auto maps = backbone(batch);
  REQUIRE(maps.size() == 2);
  CHECK(maps[1].rows == 4);
  CHECK(maps[1].cols == 6);
  const auto row = block0[0].contiguous();
  float difference = 0;
  for (Eigen::Index i = 0; i < maps[1].values.size(); ++i) {
    difference =
        std::max(difference, std::abs(maps[1].values.data()[i] - row.const_data_ptr<float>()[i]));
  }
  CHECK(difference < 2e-5F);

  backbone.setting.layer = 2;
  CHECK_THROWS_WITH_AS(backbone.features(image),
                       "layer 2 does not exist; this backbone has blocks 0 to 1", SettingError);
  CHECK_THROWS_AS(backbone.keep_blocks(3), SettingError);
  CHECK_THROWS_AS(gold_backbone(0, false).features(torch::zeros({1, 3, 71, 70})), ShapeError);
  CHECK_THROWS_AS(gold_backbone(0, false).features(torch::zeros({1, 1, 70, 70})), ShapeError);
  CHECK_THROWS_AS(DinoV2{}.features(image), SettingError);
}

TEST_CASE("weights that do not fit are refused before the backbone changes") {
  DinoV2 backbone = gold_backbone(0, false);
  const auto image = gold_image(70, 70);
  const auto before = backbone.features(image).patch_tokens;
  auto missing = gold_file(expected_tensors<DinoV2Family>(tiny(0, false)));
  missing.tensors.erase("blocks.1.mlp.fc2.bias");
  CHECK_THROWS_AS(backbone.load(missing), WeightsError);
  auto infinite = gold_file(expected_tensors<DinoV2Family>(tiny(0, false)));
  add_tensor(infinite, "norm.bias", torch::full({32}, INFINITY));
  CHECK_THROWS_AS(backbone.load(infinite), WeightsError);
  CHECK_THROWS_AS(
      backbone.load(gold_file(expected_tensors<DinoV2Family>(tiny(0, false))), "dinov2_vits14"),
      WeightsError);
  CHECK(at::equal(backbone.features(image).patch_tokens, before));
}

TEST_CASE("a ViT-S/14 of real weights equals an independent implementation") {
  const auto weights = real_weights();
  const auto reference = reference_data() / "vits14_focus_features.safetensors";
  if (weights.empty() || !std::filesystem::exists(weights)) {
    return skip("no ViT-S/14 weights: set HOMOLOG_VITS14_WEIGHTS");
  }
  if (!std::filesystem::exists(reference)) return skip("no reference features");
  const TensorFile expected = read_safetensors(reference);
  DinoV2 backbone;
  backbone.load(weights, "dinov2_vits14");
  CHECK(backbone.position_interpolation == PositionInterpolation::huggingface);
  const at::NoGradGuard no_gradients;
  for (const auto& [name, height, width] :
       {std::tuple{"224x224", 224, 224}, {"168x280", 168, 280}}) {
    const auto image = gold_image(height, width);
    backbone.setting = {};
    const auto features = backbone.features(image);
    backbone.setting.layer = 8;
    backbone.setting.final_norm = false;
    const auto block8 = backbone.features(image);
    const auto error = [&](const torch::Tensor& got, const char* key) {
      const auto difference =
          (got - to_torch(expected, std::string(name) + key)).abs().max().item<double>();
      std::printf("%s%s: max abs error %.2e\n", name, key, difference);
      return difference;
    };
    CHECK(error(features.class_token, ".class_token") <= 1e-4);
    CHECK(error(features.patch_tokens[0], ".patch_tokens") <= 1e-4);
    CHECK(error(block8.patch_tokens[0], ".block8_patch_tokens") <= 1e-4);
  }
}

TEST_CASE("random weights take the position rule of the variant's original file") {
  DinoV2 plain, registers;
  plain.randomize("dinov2_vits14", 1);
  registers.randomize("dinov2_vits14_reg", 1);
  CHECK(plain.position_interpolation == PositionInterpolation::hub);
  CHECK(registers.position_interpolation == PositionInterpolation::hub_registers);
  CHECK(registers.model.registers() == 4);
  CHECK_THROWS_AS(plain.randomize("dinov2_vitx14", 1), Error);
}
