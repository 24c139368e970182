// SPDX-License-Identifier: Apache-2.0
#include "homolog/backbones/families/stock.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
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

/// Values that a dtype holds to 0.01; those of float16 and bfloat16 are cut off, not rounded.
void set_values(TensorFile& file, const std::string& key, const std::vector<std::int64_t>& shape,
                const std::vector<float>& values, DType dtype = DType::f32) {
  const auto bytes = add_owned_tensor(file, key, dtype, shape);
  REQUIRE(bytes.size() == item_size(dtype) * values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::byte* at = bytes.data() + i * item_size(dtype);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &values[i], 4);
    const double wide = values[i];
    std::uint16_t half = static_cast<std::uint16_t>(bits >> 16);
    if (dtype == DType::f16) {  // what is too small for a normal number becomes zero
      const auto exponent = static_cast<int>(bits >> 23 & 0xFF) - 127 + 15;
      const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
      half = static_cast<std::uint16_t>(
          sign | (exponent < 1 ? 0 : exponent << 10 | static_cast<int>(bits >> 13 & 0x3FF)));
    }
    if (dtype == DType::f32) std::memcpy(at, &values[i], 4);
    if (dtype == DType::f64) std::memcpy(at, &wide, 8);
    if (dtype == DType::bf16 || dtype == DType::f16) std::memcpy(at, &half, 2);
  }
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
      const TensorFile file = bare_shapes<Family>(sizes.variant);
      const auto recognized = recognize(file, sizes.variant);
      REQUIRE(recognized);
      CHECK(recognized->family == Family::name);
      CHECK(recognized->variant == sizes.variant);
      CHECK(recognized->heads == sizes.heads);
      TensorFile incomplete = bare_shapes<Family>(sizes.variant);
      incomplete.tensors.erase("blocks.0.norm2.bias");
      CHECK_THROWS_WITH_AS(audit(incomplete, expected_tensors<Family>(facts)),
                           doctest::Contains("1 missing: blocks.0.norm2.bias"), WeightsError);
    }
    CHECK_THROWS_WITH_AS(published<Family>("nobody's"),
                         doctest::Contains(std::string(Family::published[0].variant).c_str()),
                         WeightsError);
  });
  CHECK(variants.size() == 40);
  CHECK(family_of("nobody's").empty());
  CHECK(variant_names().find("dino_vits8, ") != std::string::npos);
}

TEST_CASE("a file that may be of two families is refused unless its name is given") {
  TensorFile file = bare_shapes<DinoFamily>("dino_vitb16");
  CHECK(families_of(file) == std::vector<std::string>{"vision_transformer", "dino"});
  CHECK_THROWS_WITH_AS(recognize(file),
                       doctest::Contains("may be vit_base_patch16_224 or dino_vitb16"),
                       WeightsError);
  CHECK_THROWS_WITH_AS(recognize(file, "dino_vits16"), doctest::Contains("expected dino_vits16"),
                       WeightsError);
  CHECK(recognize(file, "dino_vitb16")->family == "dino");
  CHECK(recognize(file, "vit_base_patch16_224")->family == "vision_transformer");

  SUBCASE("a classification head is a supervised model's") {
    file.tensors["head.weight"] = {DType::f32, {1000, 768}, {}};
    CHECK(families_of(file) == std::vector<std::string>{"vision_transformer"});
    CHECK_NOTHROW(recognize(file));
    CHECK_THROWS_WITH_AS(
        recognize(file, "dino_vitb16"),
        doctest::Contains("recognised as vit_base_patch16_224, expected dino_vitb16"),
        WeightsError);
  }
  SUBCASE("of some of its blocks a DINO has to be stated") {
    std::erase_if(file.tensors, [](const auto& entry) {
      return entry.first.starts_with("blocks.9.") || entry.first.starts_with("blocks.10.") ||
             entry.first.starts_with("blocks.11.");
    });
    CHECK(families_of(file) == std::vector<std::string>{"vision_transformer"});
    CHECK(recognize(file)->heads == 12);
    CHECK(recognize(file, "vit_base_patch16_224")->depth == 9);
    file.metadata["homolog.family"] = "dino";
    CHECK(recognize(file, "dino_vitb16")->family == "dino");
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
    file.metadata["homolog.family"] = "mae";  // one whose positions were trained further
    CHECK(families_of(file) == std::vector<std::string>{"mae"});
    file.metadata["homolog.family"] = "sam";
    CHECK(families_of(file).size() == 2);
  }
}

TEST_CASE("what is not recognised is named: a checkpoint of ours, or a file by its first keys") {
  TensorFile file;
  file.name = "other.safetensors";
  for (const char* key : {"b", "a", "c\n", "d"}) file.tensors[key] = {};
  CHECK(unrecognized(file) ==
        "other.safetensors: its keys belong to no known backbone; the first are 'a', 'b', 'c?'");
  file.metadata["homolog.checkpoint"] = "{}";
  CHECK(unrecognized(file).ends_with("--weights WEIGHTS --checkpoint other.safetensors)"));
  CHECK(unrecognized({}) == ": its keys belong to no known backbone");
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
  std::vector<float> sines(24);
  for (int cell = 0; cell < 9; ++cell) {
    const auto row = homolog::detail::sine_positions(24, cell % 3, cell / 3);
    sines.insert(sines.end(), row.begin(), row.end());
  }
  set_values(file, "pos_embed", {1, 10, 24}, sines);
  CHECK(families_of(file) == std::vector<std::string>{"mae"});
  // Two of a known table's values: column 1 of row 0, and row 2 of column 1.
  CHECK(sines[2 * 24 + 0] == doctest::Approx(0.841470985));
  CHECK(sines[8 * 24 + 12] == doctest::Approx(0.909297427));
  const TensorFile complete = file;
  for (const DType dtype : {DType::bf16, DType::f16, DType::f64}) {
    set_values(file, "pos_embed", {1, 10, 24}, sines, dtype);
    CHECK(families_of(file) == std::vector<std::string>{"mae"});
  }
  file.tensors["head.weight"] = {DType::f32, {10, 24}, {}};  // tuned for classes
  CHECK(families_of(file) == std::vector<std::string>{"vision_transformer"});
  file = complete;
  sines[30] += 0.5F;  // tuned: then it is any vision transformer
  set_values(file, "pos_embed", {1, 10, 24}, sines);
  CHECK(families_of(file) == std::vector<std::string>{"vision_transformer"});
  file.tensors.at("pos_embed").dtype = DType::i32;
  CHECK(families_of(file) == std::vector<std::string>{"vision_transformer"});
}

TEST_CASE("a checkpoint with DINO's own head is a DINO of any size") {
  TensorFile file = random_file(expected_tensors<DinoFamily>(small_vit("dino", KeyStyle::original)),
                                /*with_optional=*/false);
  CHECK(families_of(file) == std::vector<std::string>{"vision_transformer"});
  file.tensors["head.last_layer.weight_v"] = {DType::f32, {10, 24}, {}};
  CHECK(families_of(file) == std::vector<std::string>{"dino"});
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
      CHECK(recognized.norm_epsilon == 1e-6);  // what it was, not transformers' own
      recognized.family = Family::name;
      const TensorFile back = to_original_keys(foreign, recognized);
      CHECK(same_tensors(back, original));
      CHECK(back.metadata ==
            std::map<std::string, std::string>{{"homolog.family", std::string(Family::name)}});
      // What transformers computes with travels along.
      TensorFile published = foreign;
      published.metadata.clear();
      recognized.norm_epsilon = recognize_all(published).front().norm_epsilon;
      CHECK(recognized.norm_epsilon == 1e-12);
      const TensorFile renamed = to_original_keys(published, recognized);
      CHECK(recognize_all(renamed).front().norm_epsilon == 1e-12);
      CHECK(!to_keys(renamed, recognized, KeyStyle::huggingface)
                 .metadata.contains("homolog.norm_epsilon"));
      recognized.registers = 4;
      CHECK_THROWS_WITH_AS(to_keys(original, recognized, KeyStyle::huggingface),
                           doctest::Contains("registers"), WeightsError);
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
