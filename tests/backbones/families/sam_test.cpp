// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "backbones/families/small_files.hpp"
#include "homolog/backbones/key_styles.hpp"
#include "homolog/backbones/recognize.hpp"
#include "homolog/weights/audit.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

Recognized small_sizes() {
  Recognized sizes{"sam", "", KeyStyle::original, 24, 4, 3, 16, 0, false, 96, 6};
  sizes.window = 4;
  sizes.neck_channels = 10;
  sizes.global_blocks = {1, 3};
  return sizes;
}

// A whole SAM: image encoder with its prefix, and some of the rest.
TensorFile whole_file() {
  TensorFile file = to_keys(random_file(expected_tensors<SamFamily>(small_sizes()), true),
                            small_sizes(), KeyStyle::original);
  std::mt19937 random(5);
  add_random(file, "prompt_encoder.no_mask_embed.weight", {1, 10}, random);
  add_random(file, "mask_decoder.transformer.layers.0.norm1.weight", {10}, random);
  return file;
}

}  // namespace

TEST_CASE("published SAM encoders have the published numbers of parameters and tensors") {
  const struct {
    const char* variant;
    std::int64_t parameters;
    std::size_t tensors;
    std::vector<int> global_blocks;
  } models[] = {{"sam_vit_b", 89'670'912, 177, {2, 5, 8, 11}},
                {"sam_vit_l", 308'278'272, 345, {5, 11, 17, 23}},
                {"sam_vit_h", 637'026'048, 457, {7, 15, 23, 31}}};
  for (const auto& model : models) {
    INFO(model.variant);
    const Recognized sizes = published<SamFamily>(model.variant);
    CHECK(sizes.global_blocks == model.global_blocks);
    const auto expected = expected_tensors<SamFamily>(sizes);
    CHECK(count(expected).parameters == model.parameters);
    CHECK(count(expected).tensors == model.tensors);
    const auto recognized = recognize(shapes_only(expected));
    REQUIRE(recognized);
    CHECK(*recognized == sizes);
    CHECK_NOTHROW(audit(shapes_only(expected), expected));
  }
  CHECK_THROWS_WITH_AS(published<SamFamily>("vit_l"), doctest::Contains("sam_vit_l"), WeightsError);
}

TEST_CASE("SAM: original -> Hugging Face -> original is the identity, the rest of the file too") {
  const TensorFile original = whole_file();
  const auto recognized = recognize(original);
  REQUIRE(recognized);
  CHECK(recognized->prefix == "image_encoder.");
  Recognized expected = small_sizes();
  expected.prefix = "image_encoder.";
  CHECK(*recognized == expected);
  const TensorFile plain = to_original_keys(original, *recognized);
  CHECK_NOTHROW(audit(plain, expected_tensors<SamFamily>(*recognized), SamFamily::ignored));
  CHECK_THROWS_WITH_AS(audit(plain, expected_tensors<SamFamily>(*recognized)),
                       doctest::Contains("2 unexpected"), WeightsError);
  const TensorFile foreign = to_keys(plain, *recognized, KeyStyle::huggingface);
  CHECK(foreign.tensors.size() == original.tensors.size());
  for (const char* key :
       {"vision_encoder.pos_embed", "vision_encoder.patch_embed.projection.weight",
        "vision_encoder.layers.3.attn.rel_pos_w", "vision_encoder.layers.0.layer_norm2.bias",
        "vision_encoder.neck.layer_norm2.bias", "prompt_encoder.no_mask_embed.weight",
        "mask_decoder.transformer.layers.0.norm1.weight"}) {
    CHECK(foreign.tensors.contains(key));
  }
  const auto again = recognize(foreign);
  REQUIRE(again);
  CHECK(again->style == KeyStyle::huggingface);
  CHECK(again->prefix == "vision_encoder.");
  CHECK(again->global_blocks == small_sizes().global_blocks);
  CHECK(same_tensors(to_keys(to_original_keys(foreign, *again), *again, KeyStyle::original),
                     original));
}

TEST_CASE("wrappers around a whole SAM fall away from all of it") {
  const TensorFile original = whole_file();
  const TensorFile wrapped = renamed(original, "module.model.");
  const auto recognized = recognize(wrapped);
  REQUIRE(recognized);
  CHECK(recognized->prefix == "module.model.image_encoder.");
  const TensorFile plain = to_original_keys(wrapped, *recognized);
  CHECK(plain.tensors.contains("mask_decoder.transformer.layers.0.norm1.weight"));
  CHECK(same_tensors(to_keys(plain, small_sizes(), KeyStyle::original), original));
}

TEST_CASE("tables that fit no window are refused") {
  TensorFile file = random_file(expected_tensors<SamFamily>(small_sizes()), true);
  for (const int i : {0, 2}) {
    for (const char* axis : {"h", "w"}) {
      const std::string key = detail::text("blocks.", i, ".attn.rel_pos_", axis);
      add_owned_tensor(file, key, DType::f32, {8, 8});
    }
  }
  const auto recognized = recognize(file);
  REQUIRE(recognized);
  CHECK_THROWS_WITH_AS(audit(file, expected_tensors<SamFamily>(*recognized)),
                       doctest::Contains("blocks.0.attn.rel_pos_h expected [1, 8] got [8, 8]"),
                       WeightsError);
  file = random_file(expected_tensors<SamFamily>(small_sizes()), true);
  add_owned_tensor(file, "pos_embed", DType::f32, {1, 0, 0, 24});
  CHECK_THROWS_WITH_AS(audit(file, expected_tensors<SamFamily>(*recognize(file))),
                       doctest::Contains("got [1, 0, 0, 24]"), WeightsError);
}

TEST_CASE("timm's SAM names differ in the MLP alone") {
  const TensorFile original = random_file(expected_tensors<SamFamily>(small_sizes()), true);
  const TensorFile timm = to_keys(original, small_sizes(), KeyStyle::timm);
  CHECK(timm.tensors.contains("blocks.3.mlp.fc2.bias"));
  const auto recognized = recognize(timm);
  REQUIRE(recognized);
  CHECK(recognized->style == KeyStyle::timm);
  CHECK(recognized->ffn_hidden == 96);
  CHECK(same_tensors(to_original_keys(timm, *recognized), original));
}

TEST_CASE("a SAM that lacks something is still recognised, and the audit says what") {
  const TensorFile original = random_file(expected_tensors<SamFamily>(small_sizes()), true);
  for (const auto& [gone, said] :
       {std::pair{"neck.2.weight", "1 missing: neck.2.weight [10, 10, 3, 3]"},
        {"pos_embed", "1 missing: pos_embed [1, -1, -1, 24]"},
        {"blocks.2.attn.rel_pos_w", "1 missing: blocks.2.attn.rel_pos_w [7, 8]"}}) {
    TensorFile file = original;
    file.tensors.erase(gone);
    const auto recognized = recognize(file);
    REQUIRE(recognized);
    CHECK(recognized->family == "sam");
    CHECK_THROWS_WITH_AS(audit(file, expected_tensors<SamFamily>(*recognized)),
                         doctest::Contains(said), WeightsError);
  }
}
