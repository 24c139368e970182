// SPDX-License-Identifier: Apache-2.0
#include "homolog/backbones/families/stock.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backbones/families/small_files.hpp"
#include "homolog/backbones/families/expected_tensors.hpp"
#include "homolog/backbones/key_styles.hpp"
#include "homolog/backbones/recognize.hpp"
#include "homolog/weights/audit.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

/// A file of a published variant without what no feature needs, such as a classification head.
template <class Family>
TensorFile bare_shapes(std::string_view variant) {
  auto expected = expected_tensors<Family>(published<Family>(variant));
  std::erase_if(expected, [](const ExpectedTensor& tensor) { return tensor.optional; });
  return shapes_only(expected);
}

std::vector<std::string> families_of(const TensorFile& file) {
  std::vector<std::string> names;
  for (const Recognized& one : recognize_all(file)) names.push_back(one.family);
  return names;
}

/// A plain vision transformer of one block and sizes that nobody has published.
Recognized small_vit(std::string_view family, KeyStyle style) {
  return {std::string(family), "", style, 24, 1, 1, 16, 0, false, 96, 10};
}

void set_values(TensorFile& file, const std::string& key, const std::vector<std::int64_t>& shape,
                const std::vector<float>& values) {
  const auto bytes = add_owned_tensor(file, key, DType::f32, shape);
  REQUIRE(bytes.size() == 4 * values.size());
  std::memcpy(bytes.data(), values.data(), bytes.size());
}

}  // namespace

TEST_CASE("every family recognises its published variants by their names, and no other has them") {
  std::set<std::string_view> variants, names;
  StockFamilies::for_each([&]<class Family>(Family) {
    CHECK(names.insert(Family::name).second);
    for (const PublishedSizes& sizes : Family::published) {
      INFO(sizes.variant);
      CHECK(variants.insert(sizes.variant).second);
      CHECK(family_of(sizes.variant) == Family::name);
      const Recognized facts = published<Family>(sizes.variant);
      TensorFile file = bare_shapes<Family>(sizes.variant);
      if (Family::name == MaeFamily::name) {  // its positions, which have no values here, tell it
        file.tensors["decoder_embed.weight"] = {DType::f32, {512, sizes.embed_dim}, {}};
      }
      const auto recognized = recognize(file, sizes.variant);
      REQUIRE(recognized);
      CHECK(recognized->family == Family::name);
      CHECK(recognized->variant == sizes.variant);
      CHECK(recognized->heads == sizes.heads);
      CHECK_NOTHROW(audit(bare_shapes<Family>(sizes.variant), expected_tensors<Family>(facts)));
    }
    CHECK_THROWS_WITH_AS(published<Family>("nobody's"),
                         doctest::Contains(std::string(Family::published[0].variant).c_str()),
                         WeightsError);
  });
  CHECK(variants.size() == 39);
  CHECK(family_of("nobody's").empty());
  CHECK(variant_names().find("dino_vits8, ") != std::string::npos);
}

TEST_CASE("a file that may be of two families is refused unless its name is given") {
  TensorFile file = bare_shapes<DinoFamily>("dino_vitb16");
  CHECK(families_of(file) == std::vector<std::string>{"vision_transformer", "dino"});
  CHECK_THROWS_WITH_AS(recognize(file),
                       doctest::Contains("may be vit_base_patch16_224 or dino_vitb16"),
                       WeightsError);
  CHECK_THROWS_AS(recognize(file, "dino_vits16"), WeightsError);
  CHECK(recognize(file, "dino_vitb16")->family == "dino");
  CHECK(recognize(file, "vit_base_patch16_224")->family == "vision_transformer");

  SUBCASE("a classification head is a supervised model's") {
    file.tensors["head.weight"] = {DType::f32, {1000, 768}, {}};
    CHECK(families_of(file) == std::vector<std::string>{"vision_transformer"});
    CHECK_NOTHROW(recognize(file));
  }
  SUBCASE("DINO's own head is a DINO's") {
    file.tensors["head.last_layer.weight_g"] = {DType::f32, {65536, 1}, {}};
    CHECK(families_of(file) == std::vector<std::string>{"dino"});
  }
  SUBCASE("a decoder is an MAE's") {
    file.tensors["decoder_embed.weight"] = {DType::f32, {512, 768}, {}};
    CHECK(families_of(file) == std::vector<std::string>{"mae"});
  }
  SUBCASE("metadata decides, where it names one of them") {
    file.metadata["homolog.family"] = "dino";
    CHECK(families_of(file) == std::vector<std::string>{"dino"});
    file.metadata["homolog.family"] = "sam";
    CHECK(families_of(file).size() == 2);
  }
}

TEST_CASE("a size that one family alone has published decides") {
  CHECK(families_of(bare_shapes<DinoFamily>("dino_vits8")) == std::vector<std::string>{"dino"});
  CHECK(families_of(bare_shapes<VisionTransformerFamily>("vit_tiny_patch16_224")) ==
        std::vector<std::string>{"vision_transformer"});
}

TEST_CASE("the fixed positions tell an MAE, in any dtype that holds them") {
  const Recognized sizes = small_vit("mae", KeyStyle::original);
  TensorFile file = random_file(expected_tensors<MaeFamily>(sizes), false);
  CHECK(families_of(file) == std::vector<std::string>{"vision_transformer"});
  std::vector<float> sines = detail::sine_positions(24, 3);
  set_values(file, "pos_embed", {1, 10, 24}, sines);
  CHECK(families_of(file) == std::vector<std::string>{"mae"});
  // Two of a known table's values: column 1 of row 0, and row 2 of column 1.
  CHECK(sines[2 * 24 + 0] == doctest::Approx(0.841470985));
  CHECK(sines[8 * 24 + 12] == doctest::Approx(0.909297427));
  sines[30] += 0.5F;  // tuned: then it is any vision transformer
  set_values(file, "pos_embed", {1, 10, 24}, sines);
  CHECK(families_of(file) == std::vector<std::string>{"vision_transformer"});
  file.tensors.at("pos_embed").dtype = DType::i32;
  CHECK(families_of(file) == std::vector<std::string>{"vision_transformer"});
}

TEST_CASE("plain vision transformers: Hugging Face's names and back are the same bytes") {
  StockFamilies::for_each([&]<class Family>(Family) {
    if constexpr (Family::shares_keys) {
      INFO(Family::name);
      const Recognized sizes = small_vit(Family::name, KeyStyle::original);
      const TensorFile original = random_file(expected_tensors<Family>(sizes), false);
      const TensorFile foreign = to_keys(original, sizes, KeyStyle::huggingface);
      CHECK(foreign.tensors.size() == original.tensors.size() + 4);  // query, key, value apart
      const std::vector<Recognized> all = recognize_all(foreign);
      REQUIRE(!all.empty());
      Recognized recognized = all.front();
      CHECK(recognized.style == KeyStyle::huggingface);
      CHECK(recognized.norm_epsilon == 1e-12);
      recognized.family = Family::name;
      const TensorFile back = to_original_keys(foreign, recognized);
      CHECK(same_tensors(back, original));
      // What transformers computes with travels along.
      CHECK(back.metadata.at("homolog.family") == Family::name);
      CHECK(recognize_all(back).front().norm_epsilon == 1e-12);
      CHECK(to_keys(back, recognized, KeyStyle::huggingface).metadata.contains("homolog.family"));
    }
  });
  TensorFile wrong =
      random_file(expected_tensors<DinoFamily>(small_vit("dino", KeyStyle::original)), false);
  wrong.metadata["homolog.norm_epsilon"] = "1";
  CHECK_THROWS_WITH_AS(recognize_all(wrong), doctest::Contains("homolog.norm_epsilon"),
                       WeightsError);
}

TEST_CASE("names of a style that a family does not have are refused") {
  const Recognized sizes = small_vit("dino", KeyStyle::original);
  const TensorFile original = random_file(expected_tensors<DinoFamily>(sizes), false);
  CHECK_THROWS_WITH_AS(to_keys(original, sizes, KeyStyle::timm), doctest::Contains("timm"),
                       WeightsError);
  Recognized unknown = sizes;
  unknown.family = "nobody's";
  CHECK_THROWS_WITH_AS(to_original_keys(original, unknown), doctest::Contains("nobody's"),
                       WeightsError);
}
