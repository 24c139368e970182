// SPDX-License-Identifier: Apache-2.0
#include "homolog/backbones/key_styles.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "backbones/families/small_files.hpp"
#include "homolog/backbones/recognize.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/read_weights.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

/// A small model of odd sizes with random bytes (finite float32) under original key names.
Recognized small_sizes(int registers, bool swiglu) {
  return {"dinov2", "", KeyStyle::original, 24, 3, 1, 14, registers, swiglu, swiglu ? 40 : 96, 26};
}

}  // namespace

TEST_CASE("published DINOv2 variants have the published numbers of parameters and tensors") {
  const struct {
    const char* variant;
    std::int64_t parameters;
    std::size_t tensors;
  } models[] = {{"dinov2_vits14", 22'056'576, 175},    {"dinov2_vits14_reg", 22'058'112, 176},
                {"dinov2_vitb14", 86'580'480, 175},    {"dinov2_vitb14_reg", 86'583'552, 176},
                {"dinov2_vitl14", 304'368'640, 343},   {"dinov2_vitl14_reg", 304'372'736, 344},
                {"dinov2_vitg14", 1'136'480'768, 567}, {"dinov2_vitg14_reg", 1'136'486'912, 568}};
  for (const auto& model : models) {
    INFO(model.variant);
    const Recognized sizes = published<DinoV2Family>(model.variant);
    const auto expected = expected_tensors<DinoV2Family>(sizes);
    CHECK(count(expected).parameters == model.parameters);
    CHECK(count(expected).tensors == model.tensors);
    const auto recognized = recognize(shapes_only(expected));
    REQUIRE(recognized);
    CHECK(*recognized == sizes);
    CHECK(recognized->variant == model.variant);
    CHECK_NOTHROW(audit(shapes_only(expected), expected));
  }
  CHECK_THROWS_WITH_AS(published<DinoV2Family>("dinov2_vitx14"),
                       doctest::Contains("dinov2_vits14_reg"), WeightsError);
}

TEST_CASE("ViT-Ti/16 has 5,717,416 parameters in 152 tensors, its head included") {
  const Recognized sizes = published<VisionTransformerFamily>("vit_tiny_patch16_224");
  auto expected = expected_tensors<VisionTransformerFamily>(sizes);
  for (auto& tensor : expected) {
    std::replace(tensor.shape.begin(), tensor.shape.end(), any_size, std::int64_t{1000});
  }
  CHECK(count(expected).parameters == 5'717'416);
  CHECK(count(expected).tensors == 152);
  CHECK(*recognize(shapes_only(expected)) == sizes);
  CHECK_THROWS_AS(published<VisionTransformerFamily>("vit_tiny"), WeightsError);
  for (const auto& model : VisionTransformerFamily::published) {
    const Recognized facts = published<VisionTransformerFamily>(model.variant);
    CHECK(*recognize(shapes_only(expected_tensors<VisionTransformerFamily>(facts))) == facts);
    const int head_dim = model.variant == "vit_huge_patch14_224" ? 80 : 64;
    CHECK(facts.heads * head_dim == facts.embed_dim);
    CHECK(facts.ffn_hidden == 4 * facts.embed_dim);
  }
}

TEST_CASE("the trained ViT-Ti file: recognised, audited, finite, the same after writing") {
  const auto path = test::test_data() / "vit-tiny" / "vit_tiny_patch16_224.safetensors";
  if (!std::filesystem::exists(path)) return test::skip("no vit-tiny weights here");
  const TensorFile file = read_weights(path);
  const auto recognized = recognize(file);
  REQUIRE(recognized);
  CHECK(*recognized == published<VisionTransformerFamily>("vit_tiny_patch16_224"));
  std::uint64_t parameters = 0;
  for (const auto& [key, view] : file.tensors) parameters += element_count(view);
  CHECK(parameters == 5'717'416);
  CHECK(file.tensors.size() == 152);
  const TensorFile original = to_original_keys(file, *recognized);
  CHECK_NOTHROW(audit(original, expected_tensors<VisionTransformerFamily>(*recognized)));
  CHECK_NOTHROW(require_finite(original));
  CHECK(same_tensors(original, file));
  const TensorFile foreign = to_keys(original, *recognized, KeyStyle::huggingface);
  CHECK(foreign.tensors.contains("encoder.layer.11.attention.attention.key.bias"));
  const auto again = recognize(foreign, recognized->variant);
  REQUIRE(again);
  CHECK(same_tensors(to_original_keys(foreign, *again), original));
  const test::TemporaryFolder folder;
  write_safetensors(folder.path / "copy.safetensors", original);
  CHECK(same_tensors(read_weights(folder.path / "copy.safetensors"), file));
}

TEST_CASE("original -> Hugging Face -> original is the identity, bit for bit") {
  for (const int registers : {0, 4}) {
    for (const bool swiglu : {false, true}) {
      for (const bool mask_token : {false, true}) {
        const Recognized sizes = small_sizes(registers, swiglu);
        const TensorFile original = random_file(expected_tensors<DinoV2Family>(sizes), mask_token);
        const TensorFile foreign = to_keys(original, sizes, KeyStyle::huggingface);
        // No key is kept, q, k and v are apart: 4 more tensors a block.
        CHECK(foreign.tensors.size() == original.tensors.size() + 4u * 3u);
        for (const auto& [key, view] : foreign.tensors) CHECK(!original.tensors.contains(key));
        CHECK(foreign.tensors.at("embeddings.position_embeddings").shape ==
              std::vector<std::int64_t>{1, 26, 24});
        CHECK(foreign.tensors.contains("encoder.layer.2.mlp.weights_in.bias") == swiglu);
        CHECK(foreign.tensors.contains("embeddings.mask_token") == mask_token);
        // Rows of the stacked matrix: queries first, then keys, then values.
        const auto& stacked = original.tensors.at("blocks.1.attn.qkv.weight").bytes;
        const auto& key_part =
            foreign.tensors.at("encoder.layer.1.attention.attention.key.weight").bytes;
        CHECK(key_part.size() * 3 == stacked.size());
        CHECK(std::equal(key_part.begin(), key_part.end(),
                         stacked.begin() + static_cast<std::ptrdiff_t>(key_part.size())));

        auto recognized = recognize(foreign);
        REQUIRE(recognized);
        CHECK(recognized->style == KeyStyle::huggingface);
        Recognized expected = sizes;
        expected.style = KeyStyle::huggingface;
        CHECK(*recognized == expected);
        const TensorFile back = to_original_keys(foreign, *recognized);
        CHECK(same_tensors(back, original));
        CHECK_NOTHROW(audit(back, expected_tensors<DinoV2Family>(*recognized)));
        CHECK(recognize(back)->style == KeyStyle::original);
        CHECK(to_keys(back, *recognized, KeyStyle::huggingface).metadata == foreign.metadata);
        CHECK(same_tensors(to_keys(back, *recognized, KeyStyle::huggingface), foreign));
      }
    }
  }
}

TEST_CASE("prefixes and chunk indices fall away") {
  const Recognized sizes = small_sizes(4, false);
  const TensorFile original = random_file(expected_tensors<DinoV2Family>(sizes), true);
  for (const char* prefix :
       {"dinov2.", "dinov2_with_registers.", "backbone.", "model.", "module.", "teacher.",
        "teacher.backbone.", "module.model.backbone.", "somebody's_wrapper.", "student."}) {
    for (const bool foreign : {false, true}) {
      INFO(prefix);
      const TensorFile file =
          renamed(foreign ? to_keys(original, sizes, KeyStyle::huggingface) : original, prefix);
      const auto recognized = recognize(file);
      REQUIRE(recognized);
      CHECK(recognized->prefix == prefix);
      CHECK(recognized->embed_dim == 24);
      CHECK(same_tensors(to_original_keys(file, *recognized), original));
    }
  }

  TensorFile chunked{{}, {}, original.owners, "chunked"};
  for (const auto& [key, view] : original.tensors) {
    const std::string chunk = key.starts_with("blocks.2") ? "1." : "0.";
    chunked.tensors[key.starts_with("blocks.") ? "blocks." + chunk + key.substr(7) : key] = view;
  }
  const auto recognized = recognize(chunked);
  REQUIRE(recognized);
  CHECK(recognized->depth == 3);
  CHECK(same_tensors(to_original_keys(chunked, *recognized), original));
  chunked.tensors["blocks.7.0.norm1.bias"] = chunked.tensors.at("blocks.0.0.norm1.bias");
  CHECK_THROWS_WITH_AS(recognize(chunked), doctest::Contains("'blocks.0.norm1.bias'"),
                       WeightsError);
}

TEST_CASE("of several backbones in a file the one that features are taken from is loaded") {
  const TensorFile original =
      random_file(expected_tensors<DinoV2Family>(small_sizes(4, false)), true);
  const auto holding = [&](std::vector<std::string> prefixes) {
    TensorFile all{{}, {}, original.owners, "several"};
    for (const std::string& prefix : prefixes) {
      all.tensors.merge(renamed(original, prefix).tensors);
    }
    return all;
  };
  const auto prefix_of = [&](std::vector<std::string> prefixes) {
    const TensorFile all = holding(std::move(prefixes));
    const auto recognized = recognize(all);
    CHECK(same_tensors(to_original_keys(all, *recognized), original));
    return recognized->prefix;
  };
  CHECK(prefix_of({"student.backbone.", "teacher.backbone."}) == "teacher.backbone.");
  CHECK(prefix_of({"module.base_encoder.", "module.momentum_encoder."}) == "module.base_encoder.");
  CHECK(prefix_of({"encoder.", "target_encoder."}) == "target_encoder.");
  CHECK(prefix_of({"", "model_ema."}) == "model_ema.");
  CHECK(prefix_of({"", "second."}) == "");
  CHECK_THROWS_WITH_AS(prefix_of({"left.", "right."}),
                       doctest::Contains("several: holds 2 backbones, whose keys begin with "
                                         "'left.', 'right.'; save the one that you want"),
                       WeightsError);
  CHECK_THROWS_AS(prefix_of({"a.teacher.", "b.teacher."}), WeightsError);
  TensorFile many = original;
  for (int i = 0; i < 64; ++i) {
    many.tensors[std::to_string(i) + ".patch_embed.proj.weight"] = original.tensors.begin()->second;
  }
  CHECK_THROWS_WITH_AS(recognize(many), doctest::Contains("holds 65 backbones"), WeightsError);
  CHECK(!recognize(renamed(original, "my")));  // no word of its own: mypatch_embed
}

TEST_CASE("timm: register models get a class row of zeros, packed SwiGLU its own names") {
  const Recognized sizes = small_sizes(4, true);
  const TensorFile original = random_file(expected_tensors<DinoV2Family>(sizes), false);
  TensorFile timm{{}, {}, original.owners, "timm"};
  for (const auto& [key, view] : original.tensors) {
    std::string name = key == "register_tokens" ? "reg_token" : key;
    if (const auto at = name.find("mlp.w12"); at != std::string::npos)
      name.replace(at, 7, "mlp.fc1");
    if (const auto at = name.find("mlp.w3"); at != std::string::npos)
      name.replace(at, 6, "mlp.fc2");
    timm.tensors[name] = view;
  }
  auto& table = timm.tensors.at("pos_embed");
  table.shape = {1, 25, 24};
  table.bytes = table.bytes.subspan(24 * 4);
  const auto recognized = recognize(timm);
  REQUIRE(recognized);
  CHECK(recognized->style == KeyStyle::timm);
  CHECK(recognized->swiglu);
  CHECK(recognized->ffn_hidden == 40);
  CHECK(recognized->registers == 4);
  CHECK(recognized->position_rows == 26);
  const TensorFile back = to_original_keys(timm, *recognized);
  CHECK_NOTHROW(audit(back, expected_tensors<DinoV2Family>(*recognized)));
  const auto& rows = back.tensors.at("pos_embed").bytes;
  const auto& before = original.tensors.at("pos_embed").bytes;
  CHECK(std::all_of(rows.begin(), rows.begin() + 96, [](auto b) { return b == std::byte{0}; }));
  CHECK(std::equal(rows.begin() + 96, rows.end(), before.begin() + 96, before.end()));
  for (const auto& [key, view] : back.tensors) {
    if (key == "pos_embed") continue;
    CHECK(view.bytes.data() == original.tensors.at(key).bytes.data());
  }

  // A plain DINOv2 without mask token could be either; timm drops it, the original does not.
  const TensorFile plain =
      random_file(expected_tensors<DinoV2Family>(small_sizes(0, false)), false);
  CHECK(recognize(plain)->style == KeyStyle::timm);
  CHECK(
      recognize(random_file(expected_tensors<DinoV2Family>(small_sizes(0, false)), true))->style ==
      KeyStyle::original);
}

TEST_CASE("what is no known backbone is not recognised, and sizes are never trusted blindly") {
  CHECK(!recognize(TensorFile{}));
  const TensorFile good = random_file(expected_tensors<DinoV2Family>(small_sizes(0, false)), true);
  const auto with = [&good](const char* key) {
    TensorFile file = good;
    file.tensors[key] = file.tensors.at("norm.bias");
    return file;
  };
  for (const char* other : {"rope_embed.periods", "storage_tokens", "blocks.0.attn.rel_pos_h",
                            "neck.0.weight", "blocks.1.gamma_1"}) {
    CHECK(!recognize(with(other)));
  }
  TensorFile file = good;
  file.tensors.at("patch_embed.proj.weight").shape = {24, 3 * 14 * 14};
  CHECK(!recognize(file));
  file.tensors.at("patch_embed.proj.weight").shape = {std::int64_t{1} << 40, 3, 14, 14};
  CHECK(!recognize(file));
  // A gap in the blocks: depth counts those present, the audit names the ones that do not fit.
  file = good;
  file.tensors["blocks.999999999.norm1.bias"] = file.tensors.at("norm.bias");
  const auto recognized = recognize(file);
  REQUIRE(recognized);
  CHECK(recognized->depth == 4);
  CHECK_THROWS_WITH_AS(audit(file, expected_tensors<DinoV2Family>(*recognized)),
                       doctest::Contains("1 unexpected: blocks.999999999.norm1.bias [24]"),
                       WeightsError);
}

TEST_CASE("heads of unpublished sizes come from the metadata, else from the width") {
  Recognized sizes = small_sizes(0, false);
  TensorFile file = random_file(expected_tensors<DinoV2Family>(sizes), true);
  CHECK(recognize(file)->heads == 1);
  file.metadata["homolog.heads"] = "3";
  CHECK(recognize(file)->heads == 3);
  for (const char* bad : {"0", "-3", "5", "3 ", "", "three", "99999999999"}) {
    file.metadata["homolog.heads"] = bad;
    CHECK_THROWS_WITH_AS(recognize(file), doctest::Contains("homolog.heads"), WeightsError);
  }
  sizes.embed_dim = 192;
  CHECK(recognize(random_file(expected_tensors<DinoV2Family>(sizes), true))->heads == 3);
}

TEST_CASE("the audit counts and names all that is missing, unexpected or unfitting") {
  const Recognized sizes = small_sizes(0, false);
  const auto expected = expected_tensors<DinoV2Family>(sizes);
  TensorFile file = random_file(expected, false);
  CHECK_NOTHROW(audit(file, expected));
  file.tensors.erase("norm.bias");
  file.tensors.erase("blocks.1.ls1.gamma");
  file.tensors["stray"] = file.tensors.at("cls_token");
  file.tensors["blocks.0.norm1.bias"].shape = {4, 6};
  file.tensors["blocks.0.norm2.bias"].dtype = DType::i32;
  CHECK_THROWS_WITH_AS(
      audit(file, expected),
      "small: the tensors do not fit the backbone; 2 missing: blocks.1.ls1.gamma [24], norm.bias "
      "[24]; 1 unexpected: stray [1, 1, 24]; 2 unfitting: blocks.0.norm1.bias expected [24] got "
      "[4, 6], blocks.0.norm2.bias expected a floating dtype got I32",
      WeightsError);
  CHECK_THROWS_WITH_AS(audit(TensorFile{}, expected), doctest::Contains("48 missing: cls_token"),
                       WeightsError);
  CHECK_THROWS_WITH_AS(audit(TensorFile{}, expected), doctest::Contains(", ..."), WeightsError);

  // Optional tensors may be absent, but not misshapen; heads nobody uses may be there.
  file = random_file(expected, true);
  file.tensors["classifier.weight"] = file.tensors["dino_head.mlp.0.weight"] =
      file.tensors.at("norm.bias");
  CHECK_NOTHROW(audit(file, expected, DinoV2Family::ignored));
  CHECK_THROWS_WITH_AS(audit(file, expected), doctest::Contains("2 unexpected"), WeightsError);
  file.tensors.at("mask_token").shape = {24};
  CHECK_THROWS_WITH_AS(audit(file, expected, DinoV2Family::ignored),
                       doctest::Contains("mask_token expected [1, 24]"), WeightsError);
  // A position table that is no square plus the class row.
  file = random_file(expected, true);
  file.tensors.at("pos_embed").shape = {1, 28, 24};
  CHECK_THROWS_WITH_AS(audit(file, expected_tensors<DinoV2Family>(*recognize(file))),
                       doctest::Contains("pos_embed expected [1, 26, 24] got [1, 28, 24]"),
                       WeightsError);
}

TEST_CASE("query, key and value that do not belong together are refused") {
  const Recognized sizes = small_sizes(0, false);
  const TensorFile foreign = to_keys(random_file(expected_tensors<DinoV2Family>(sizes), true),
                                     sizes, KeyStyle::huggingface);
  const Recognized recognized = *recognize(foreign);
  const std::string value = "encoder.layer.0.attention.attention.value.weight";
  TensorFile file = foreign;
  file.tensors.erase(value);
  CHECK_THROWS_WITH_AS(to_original_keys(file, recognized),
                       doctest::Contains("the value part of 'blocks.0.attn.qkv.weight' is missing"),
                       WeightsError);
  file = foreign;
  file.tensors.at(value).dtype = DType::i32;
  CHECK_THROWS_WITH_AS(to_original_keys(file, recognized), doctest::Contains("differ"),
                       WeightsError);
  file = foreign;
  file.tensors.at(value).shape = {24 * 24};
  CHECK_THROWS_WITH_AS(to_original_keys(file, recognized), doctest::Contains("differ"),
                       WeightsError);
  file = foreign;
  file.tensors["blocks.0.attn.qkv.weight"] = file.tensors.at(value);
  CHECK_THROWS_WITH_AS(to_original_keys(file, recognized),
                       doctest::Contains("two tensors would both be renamed to"), WeightsError);
  TensorFile odd = random_file(expected_tensors<DinoV2Family>(sizes), true);
  odd.tensors.at("blocks.0.attn.qkv.bias").shape = {71};
  CHECK_THROWS_WITH_AS(to_keys(odd, sizes, KeyStyle::huggingface),
                       doctest::Contains("cannot be split"), WeightsError);
}

TEST_CASE("NaN and infinity are found in every floating dtype, wherever they stand") {
  const auto check = [](DType dtype, std::uint64_t bits, bool finite) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{70'000}, std::size_t{99'999}}) {
      TensorFile file;
      file.name = "file";
      const auto buffer = add_owned_tensor(file, "values", dtype, {100'000});
      std::memcpy(buffer.data() + at * item_size(dtype), &bits, item_size(dtype));
      if (finite) {
        CHECK_NOTHROW(require_finite(file));
      } else {
        CHECK_THROWS_WITH_AS(require_finite(file), doctest::Contains("'values' of shape [100000]"),
                             WeightsError);
      }
    }
  };
  for (const std::uint64_t sign : {0, 1}) {
    check(DType::f32, sign << 31 | 0x7F800000, false);
    check(DType::f32, sign << 31 | 0x7FC00001, false);
    check(DType::f32, sign << 31 | 0x7F7FFFFF, true);
    check(DType::f16, sign << 15 | 0x7C00, false);
    check(DType::f16, sign << 15 | 0x7C01, false);
    check(DType::f16, sign << 15 | 0x7BFF, true);
    check(DType::bf16, sign << 15 | 0x7F80, false);
    check(DType::bf16, sign << 15 | 0x7FFF, false);
    check(DType::bf16, sign << 15 | 0x7F7F, true);
    check(DType::f64, sign << 63 | 0x7FF0000000000000, false);
    check(DType::f64, sign << 63 | 0x7FEFFFFFFFFFFFFF, true);
    check(DType::i32, sign << 31 | 0x7F800000, true);
  }
}
