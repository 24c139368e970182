// SPDX-License-Identifier: Apache-2.0
#include "homolog/backbones/families/dinov3_kept.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "backbones/families/small_files.hpp"
#include "homolog/backbones/key_styles.hpp"
#include "homolog/backbones/recognize.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/safetensors.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

Recognized small_sizes(bool swiglu, bool qkv_bias) {
  Recognized sizes{"dinov3", "", KeyStyle::original, 24, 3, 2, 16, 4, swiglu, 40, 0};
  sizes.qkv_bias = qkv_bias;
  return sizes;
}

// Random weights of a small DINOv3, with the masks and periods it is published with.
TensorFile small_file(const Recognized& sizes, float mask_of_queries_and_values) {
  TensorFile file = random_file(expected_tensors<DinoV3Family>(sizes), true);
  if (sizes.qkv_bias) {
    for (int i = 0; i < sizes.depth; ++i) {
      auto mask = homolog::detail::default_bias_mask(sizes.embed_dim);
      for (float& value : mask) value *= mask_of_queries_and_values;
      homolog::detail::add_floats(file, homolog::detail::text("blocks.", i, ".attn.qkv.bias_mask"),
                                  mask, {3 * sizes.embed_dim});
    }
  }
  const std::vector<float> periods{1.0F, 4.625F, 21.5F};  // 100^(j / 3), rounded to bfloat16
  homolog::detail::add_floats(file, "rope_embed.periods", periods, {3});
  return file;
}

}  // namespace

TEST_CASE("published DINOv3 variants have the published numbers of parameters and tensors") {
  const struct {
    const char* variant;
    std::int64_t parameters;
    std::size_t tensors;
    bool local_norm;
  } models[] = {{"dinov3_vits16", 21'601'152, 188, false},
                {"dinov3_vits16plus", 28'697'472, 212, false},
                {"dinov3_vitb16", 85'669'632, 188, false},
                {"dinov3_vitl16", 303'154'176, 368, false},
                {"dinov3_vitl16", 303'154'176 + 2'048, 370, true},
                {"dinov3_vitl16plus", 403'915'776, 416, false},
                {"dinov3_vith16plus", 840'633'600, 552, false},
                {"dinov3_vit7b16", 6'716'043'264, 610, true}};
  for (const auto& model : models) {
    INFO(model.variant);
    const Recognized sizes = published<DinoV3Family>(model.variant);
    auto expected = expected_tensors<DinoV3Family>(sizes);
    if (!model.local_norm) {
      std::erase_if(expected, [](const auto& t) { return t.key.starts_with("local_cls_norm"); });
    }
    CHECK(count(expected).tensors == model.tensors);
    auto parameters = expected;
    std::erase_if(parameters, [](const auto& tensor) {
      return tensor.key.ends_with("bias_mask") || tensor.key == "rope_embed.periods";
    });
    CHECK(count(parameters).parameters == model.parameters);
    const auto recognized = recognize(shapes_only(expected));
    REQUIRE(recognized);
    CHECK(*recognized == sizes);
    CHECK_NOTHROW(audit(shapes_only(expected), expected));

    // Hugging Face's count: without the biases of keys, buffers and the second norm.
    Count foreign{0, 0};
    for (const auto& tensor : parameters) {
      if (tensor.key.starts_with("local_cls_norm")) continue;
      const auto elements = static_cast<std::int64_t>(*detail::checked_elements(tensor.shape));
      foreign.parameters += tensor.key.ends_with("qkv.bias") ? elements / 3 * 2 : elements;
    }
    const std::pair<std::string, std::int64_t> counts[] = {
        {"dinov3_vits16", 21'596'544},      {"dinov3_vits16plus", 28'692'864},
        {"dinov3_vitb16", 85'660'416},      {"dinov3_vitl16", 303'129'600},
        {"dinov3_vith16plus", 840'592'640}, {"dinov3_vit7b16", 6'716'035'072}};
    for (const auto& [variant, parameters_there] : counts) {
      if (variant == model.variant) CHECK(foreign.parameters == parameters_there);
    }
  }
  CHECK_THROWS_WITH_AS(published<DinoV3Family>("dinov3_vits14"),
                       doctest::Contains("dinov3_vits16plus"), WeightsError);
}

TEST_CASE("DINOv3: original -> Hugging Face -> original is the identity, bit for bit") {
  for (const bool swiglu : {false, true}) {
    for (const bool qkv_bias : {false, true}) {
      // 1: as the model is built; 0: as the published files are.
      for (const float mask : {1.0F, 0.0F}) {
        const Recognized sizes = small_sizes(swiglu, qkv_bias);
        const TensorFile original = small_file(sizes, mask);
        REQUIRE(recognize(original).has_value());
        CHECK(*recognize(original) == sizes);
        const TensorFile foreign = to_keys(original, sizes, KeyStyle::huggingface);
        for (const auto& [key, view] : foreign.tensors) {
          if (key != "norm.weight" && key != "norm.bias") CHECK(!original.tensors.contains(key));
        }
        // Just what Hugging Face's own files hold.
        CHECK(foreign.tensors.size() ==
              8u + 3u * (static_cast<std::size_t>(swiglu ? 17 : 15) + (qkv_bias ? 2 : 0)) - 1u);
        CHECK(foreign.tensors.at("embeddings.mask_token").shape ==
              std::vector<std::int64_t>{1, 1, 24});
        CHECK(!foreign.tensors.contains("layer.0.attention.k_proj.bias"));
        CHECK(foreign.tensors.contains("layer.0.attention.q_proj.bias") == qkv_bias);
        CHECK(foreign.tensors.contains("layer.2.mlp.gate_proj.weight") == swiglu);

        // Through a file on disk, which has to carry the rest.
        const TemporaryFolder folder;
        write_safetensors(folder.path / "w.safetensors", foreign);
        const TensorFile read = read_safetensors(folder.path / "w.safetensors");
        const auto recognized = recognize(read);
        REQUIRE(recognized);
        CHECK(recognized->style == KeyStyle::huggingface);
        const TensorFile back = to_original_keys(read, *recognized);
        CHECK(same_tensors(back, original));
        CHECK_NOTHROW(audit(back, expected_tensors<DinoV3Family>(*recognized)));
        CHECK(same_tensors(to_keys(back, *recognized, KeyStyle::huggingface), foreign));
      }
    }
  }
}

TEST_CASE("Hugging Face's own DINOv3 files gain what the original's hold") {
  const Recognized sizes = small_sizes(false, true);
  TensorFile foreign = to_keys(small_file(sizes, 1), sizes, KeyStyle::huggingface);
  std::erase_if(foreign.metadata, [](const auto& entry) {
    return entry.first.starts_with(homolog::detail::kept_prefix);
  });
  const TensorFile original = to_original_keys(foreign, *recognize(foreign));
  CHECK(homolog::detail::float_values(original, "rope_embed.periods") ==
        homolog::detail::rope_periods(12));
  CHECK(homolog::detail::float_values(original, "blocks.1.attn.qkv.bias_mask") ==
        homolog::detail::default_bias_mask(24));
  const auto bias = homolog::detail::float_values(original, "blocks.1.attn.qkv.bias");
  for (std::size_t i = 24; i < 48; ++i) CHECK(bias[i] == 0.0F);
  CHECK(bias[0] != 0.0F);
  CHECK(original.tensors.at("mask_token").shape == std::vector<std::int64_t>{1, 24});
  const TensorFile again = to_keys(original, *recognize(original), KeyStyle::huggingface);
  CHECK(same_tensors(again, foreign));
  CHECK(!again.metadata.contains("homolog.kept.rope_embed.periods"));

  // As transformers 5 names the blocks in memory.
  TensorFile memory = foreign;
  memory.tensors.clear();
  for (const auto& [key, view] : foreign.tensors) {
    memory.tensors[(key.starts_with("layer.") ? "model." : "") + key] = view;
  }
  CHECK(same_tensors(to_original_keys(memory, *recognize(memory)), original));
}

TEST_CASE("what is kept does not outlive an edit, and nothing else is kept") {
  const Recognized sizes = small_sizes(false, true);
  const TensorFile original = small_file(sizes, 0);  // biases behind a mask of zeros
  TensorFile foreign = to_keys(original, sizes, KeyStyle::huggingface);
  CHECK(homolog::detail::float_values(foreign, "layer.1.attention.q_proj.bias")[3] == 0.0F);
  std::vector<float> trained(24, 0.5F);
  homolog::detail::add_floats(foreign, "layer.1.attention.q_proj.bias", trained, {24});
  const TensorFile back = to_original_keys(foreign, *recognize(foreign));
  CHECK(homolog::detail::effective_qkv_bias(back, "blocks.1.", 24)[3] == 0.5F);
  CHECK(homolog::detail::effective_qkv_bias(back, "blocks.0.", 24)[3] == 0.0F);
  CHECK(homolog::detail::float_values(back, "blocks.0.attn.qkv.bias") ==
        homolog::detail::float_values(original, "blocks.0.attn.qkv.bias"));
  foreign.metadata["homolog.kept.blocks.0.attn.qkv.weight"] = "F32 1 00000000";
  CHECK_THROWS_WITH_AS(to_original_keys(foreign, *recognize(foreign)),
                       doctest::Contains("names no tensor that homolog keeps"), WeightsError);
}

TEST_CASE("a bias of keys is refused: the original has none") {
  const Recognized sizes = small_sizes(false, true);
  TensorFile foreign = to_keys(small_file(sizes, 1), sizes, KeyStyle::huggingface);
  homolog::detail::add_floats(foreign, "layer.1.attention.k_proj.bias", std::vector<float>(24),
                              {24});
  CHECK_NOTHROW(to_original_keys(foreign, *recognize(foreign)));
  homolog::detail::add_floats(foreign, "layer.1.attention.k_proj.bias",
                              std::vector<float>(24, 0.1F), {24});
  CHECK_THROWS_WITH_AS(to_original_keys(foreign, *recognize(foreign)),
                       doctest::Contains("keys of this family have no bias"), WeightsError);
}

TEST_CASE("a published model cut short keeps its heads") {
  Recognized sizes = published<DinoV3Family>("dinov3_vit7b16");
  sizes.depth = 2;
  TensorFile file = shapes_only(expected_tensors<DinoV3Family>(sizes));
  file.tensors.erase("rope_embed.periods");
  CHECK(recognize(file)->heads == 32);
}

TEST_CASE("timm's DINOv3 names: gammas, register token, split biases, or none that are zero") {
  for (const bool swiglu : {false, true}) {
    const Recognized sizes = small_sizes(swiglu, true);
    TensorFile original = small_file(sizes, 1);
    TensorFile timm = to_keys(original, sizes, KeyStyle::timm);
    CHECK(timm.tensors.contains("reg_token"));
    CHECK(timm.tensors.contains("blocks.0.gamma_1"));
    CHECK(timm.tensors.contains("blocks.0.attn.q_bias"));
    CHECK(timm.tensors.contains("blocks.0.attn.v_bias"));
    CHECK(timm.tensors.contains("blocks.0.mlp.fc1_g.weight") == swiglu);
    for (const char* absent : {"rope_embed.periods", "blocks.0.attn.qkv.bias", "mask_token",
                               "blocks.0.attn.k_bias", "local_cls_norm.weight"}) {
      CHECK(!timm.tensors.contains(absent));
    }
    CHECK(timm.metadata == std::map<std::string, std::string>{{"homolog.heads", "2"}});
    const auto recognized = recognize(timm);
    REQUIRE(recognized);
    CHECK(recognized->style == KeyStyle::timm);
    CHECK(recognized->qkv_bias);
    TensorFile back = to_original_keys(timm, *recognized);
    CHECK_NOTHROW(audit(back, expected_tensors<DinoV3Family>(*recognized)));
    for (const char* gone :
         {"mask_token", "rope_embed.periods", "local_cls_norm.weight", "local_cls_norm.bias"}) {
      back.tensors.erase(gone);
      original.tensors.erase(gone);
    }
    for (int i = 0; i < 3; ++i) {  // the key third of the bias, which the mask silences
      const std::string key = homolog::detail::text("blocks.", i, ".attn.qkv.bias");
      homolog::detail::add_floats(original, key,
                                  homolog::detail::effective_qkv_bias(
                                      original, homolog::detail::text("blocks.", i, "."), 24),
                                  {72});
      auto bias = homolog::detail::float_values(original, key);
      std::fill(bias.begin() + 24, bias.begin() + 48, 0.0F);
      homolog::detail::add_floats(original, key, bias, {72});
    }
    CHECK(same_tensors(back, original));

    const TensorFile silent = to_keys(small_file(sizes, 0), sizes, KeyStyle::timm);
    CHECK(!silent.tensors.contains("blocks.0.attn.q_bias"));
    CHECK(!recognize(silent)->qkv_bias);
    const TensorFile restored = to_original_keys(silent, *recognize(silent));
    CHECK_NOTHROW(audit(restored, expected_tensors<DinoV3Family>(*recognize(silent))));
  }
}

TEST_CASE("a published DINOv3 without its biases is incomplete, but for timm's files") {
  const Recognized sizes = published<DinoV3Family>("dinov3_vits16");
  TensorFile file = shapes_only(expected_tensors<DinoV3Family>(sizes));
  std::erase_if(file.tensors, [](const auto& entry) {
    return entry.first.find("qkv.bias") != std::string::npos;
  });
  const auto recognized = recognize(file);
  REQUIRE(recognized);
  CHECK(recognized->variant == "dinov3_vits16");
  CHECK_THROWS_WITH_AS(audit(file, expected_tensors<DinoV3Family>(*recognized)),
                       doctest::Contains("12 missing: blocks.0.attn.qkv.bias [1152]"),
                       WeightsError);
}

TEST_CASE("kept tensors: every dtype, uniform ones short, malformed lines refused") {
  TensorFile file;
  file.name = "file";
  std::uint64_t budget = 1000;
  const auto round_trip = [&](DType dtype, std::vector<std::int64_t> shape, bool uniform) {
    const auto bytes = add_owned_tensor(file, "a", dtype, std::move(shape));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::byte>(uniform ? 1 + i % item_size(dtype) : 7 * i + 1);
    }
    const std::string line = homolog::detail::tensor_to_text(file.tensors.at("a"));
    CHECK((line.find('*') != std::string::npos) == uniform);
    homolog::detail::add_tensor_from_text(file, "b", line, budget);
    TensorFile a, b;
    a.tensors["x"] = file.tensors.at("a");
    b.tensors["x"] = file.tensors.at("b");
    CHECK(same_tensors(a, b));
  };
  round_trip(DType::f32, {3, 5}, false);
  round_trip(DType::f32, {3, 5}, true);
  round_trip(DType::bf16, {7}, false);
  round_trip(DType::f64, {2, 1, 2}, true);
  round_trip(DType::f32, {1}, false);
  for (const char* line :
       {"", "F32", "F32 3", "F32 3 ", "F32 3 00", "Q8 1 00000000", "F32 1 0000000g",
        "F32 -1 00000000", "F32 1, 00000000", "F32 1,,1 00000000", "F32 x 00000000",
        "F32 999999999,999999999 *00000000", "F32 9999999999 *00000000", "F32 2 *0000",
        "F32 250 *00000000", "F32 1 0000000000000000", "F32 1,1,1,1,1,1,1,1,1 00000000"}) {
    INFO(line);
    CHECK_THROWS_WITH_AS(homolog::detail::add_tensor_from_text(file, "c", line, budget),
                         doctest::Contains("homolog.kept.c is malformed"), WeightsError);
  }
}

TEST_CASE("metadata of many short lines cannot take much memory") {
  const Recognized sizes = small_sizes(false, true);
  TensorFile foreign = to_keys(small_file(sizes, 1), sizes, KeyStyle::huggingface);
  for (int i = 0; i < 20; ++i) {
    foreign.metadata[homolog::detail::text("homolog.kept.blocks.", i, ".attn.qkv.bias")] =
        "F32 1000000 *00000000";
  }
  CHECK_THROWS_WITH_AS(to_original_keys(foreign, *recognize(foreign)),
                       doctest::Contains(".attn.qkv.bias is malformed"), WeightsError);
}

TEST_CASE("empty tensors under great names make no masks") {
  const Recognized sizes = small_sizes(false, true);
  TensorFile foreign = to_keys(small_file(sizes, 1), sizes, KeyStyle::huggingface);
  foreign.tensors.at("embeddings.patch_embeddings.weight") = {DType::f32, {1 << 20, 3, 16, 0}, {}};
  foreign.metadata = {{"homolog.heads", "2"}};
  const auto recognized = recognize(foreign);
  REQUIRE(recognized);
  CHECK(recognized->embed_dim == 1 << 20);
  const TensorFile original = to_original_keys(foreign, *recognized);
  CHECK(!original.tensors.contains("blocks.0.attn.qkv.bias_mask"));
  CHECK_THROWS_AS(audit(original, expected_tensors<DinoV3Family>(*recognized)), WeightsError);
}

TEST_CASE("half and bfloat16 values are read exactly") {
  TensorFile file;
  const auto value = [&file](DType dtype, std::uint16_t bits) {
    const auto bytes = add_owned_tensor(file, "v", dtype, {1});
    std::memcpy(bytes.data(), &bits, 2);
    return homolog::detail::float_values(file, "v")[0];
  };
  CHECK(value(DType::f16, 0x3C00) == 1.0F);
  CHECK(value(DType::f16, 0xC100) == -2.5F);
  CHECK(value(DType::f16, 0x0001) == 5.9604645e-8F);
  CHECK(value(DType::f16, 0x7BFF) == 65504.0F);
  CHECK(value(DType::f16, 0x0400) == 6.103515625e-5F);
  CHECK(std::isinf(value(DType::f16, 0x7C00)));
  CHECK(std::isnan(value(DType::f16, 0x7C01)));
  CHECK(std::signbit(value(DType::f16, 0x8000)));
  CHECK(value(DType::bf16, 0x3FAB) == 1.3359375F);
  file.tensors["v"].dtype = DType::i16;
  CHECK_THROWS_WITH_AS(homolog::detail::float_values(file, "v"), doctest::Contains("I16"),
                       WeightsError);
}
