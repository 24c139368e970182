// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include <array>
#include <optional>
#include <string_view>

#include "backbones/gold.hpp"
#include "homolog/backbones/key_styles.hpp"
#include "homolog/backbones/transformer_of.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

constexpr KeyPair own_pairs[] = {{"cls_token", "tokens.first"},
                                 {"pos_embed", "tokens.positions"},
                                 {"patch_embed.proj.weight", "stem.weight"},
                                 {"patch_embed.proj.bias", "stem.bias"},
                                 {"blocks.#.attn.qkv.weight", "layers.#.mix.@.weight"},
                                 {"blocks.#.attn.qkv.bias", "layers.#.mix.@.bias"},
                                 {"blocks.#.attn.proj.weight", "layers.#.mix.out.weight"},
                                 {"blocks.#.attn.proj.bias", "layers.#.mix.out.bias"},
                                 {"blocks.#.norm1.weight", "layers.#.norm1.weight"},
                                 {"blocks.#.norm1.bias", "layers.#.norm1.bias"},
                                 {"blocks.#.norm2.weight", "layers.#.norm2.weight"},
                                 {"blocks.#.norm2.bias", "layers.#.norm2.bias"},
                                 {"blocks.#.mlp.fc1.weight", "layers.#.mlp.fc1.weight"},
                                 {"blocks.#.mlp.fc1.bias", "layers.#.mlp.fc1.bias"},
                                 {"blocks.#.mlp.fc2.weight", "layers.#.mlp.fc2.weight"},
                                 {"blocks.#.mlp.fc2.bias", "layers.#.mlp.fc2.bias"}};
constexpr KeyTable own_names{"layers.", own_pairs, {"q", "k", "v"}};

/// A family that the library does not know, with key names of its own.
struct OwnFamily : TransformerFamily {
  static constexpr std::string_view name = "own";
  static constexpr PublishedSizes published[] = {{"own_tiny", 64, 2, 1, 8, 0, false, 128, 10}};
  static constexpr std::array<std::string_view, 1> patch_keys{"stem.weight"};
  static std::optional<Candidate> recognize(const TensorFile& plain) {
    const KeyShapes keys(plain, "layers.");
    if (!keys.has("layers.#.mix.q.weight")) return std::nullopt;
    Recognized sizes;
    sizes.embed_dim = keys.size("stem.weight", 4, 0);
    sizes.patch_size = keys.size("stem.weight", 4, 2);
    sizes.position_rows = keys.size("tokens.positions", 3, 1);
    sizes.ffn_hidden = keys.size("layers.#.mlp.fc1.weight", 2, 0);
    sizes.depth = keys.depth();
    return Candidate{sizes};
  }
  static const KeyTable* key_table(const Recognized&, KeyStyle style) {
    return style == KeyStyle::original ? &own_names : nullptr;
  }
  static BackboneDefaults defaults(const Recognized&, const TensorFile&) {
    return {half_normalization, PositionInterpolation::hub, 24};
  }
};
using OwnFamilies = StockFamilies::with<OwnFamily>;
using OwnBackbone = TransformerOf<OwnFamily>;

}  // namespace

TEST_CASE("a family of one's own is recognised, loaded and run") {
  const Recognized sizes = published<OwnFamily>("own_tiny");
  const TensorFile plain = gold_file(expected_tensors<OwnFamily>(sizes));
  const TensorFile file = to_keys<OwnFamilies>(plain, sizes, KeyStyle::original);
  CHECK(file.tensors.contains("layers.1.mix.k.bias"));
  CHECK(recognize_all(file).empty());  // by the stock list
  const auto recognized = recognize<OwnFamilies>(file);
  REQUIRE(recognized);
  CHECK(recognized->variant == "own_tiny");
  TensorFile wrapped = file;
  wrapped.tensors.clear();
  for (const auto& [key, view] : file.tensors) wrapped.tensors["my.wrapper." + key] = view;
  CHECK(recognize<OwnFamilies>(wrapped)->prefix == "my.wrapper.");
  const TensorFile back = to_original_keys<OwnFamilies>(file, *recognized);
  CHECK(back.tensors.size() == plain.tensors.size());
  CHECK(back.tensors.contains("blocks.1.attn.qkv.bias"));

  OwnBackbone backbone;
  CHECK(backbone.default_image_size() == 24);
  backbone.load(file, "own_tiny");
  CHECK(backbone.normalization() == half_normalization);
  const auto input = torch::linspace(-1, 1, 3 * 24 * 32).reshape({1, 3, 24, 32});
  const at::NoGradGuard no_gradients;
  const auto features = backbone.features(input).patch_tokens;
  CHECK(features.sizes().vec() == std::vector<std::int64_t>{1, 12, 64});
  const TransformerBackbone any = load_backbone_of<OwnFamilies>(file);
  CHECK(at::equal(any.features(input).patch_tokens, features));

  // The same weights under timm's names in the stock family that is built alike.
  VisionTransformer twin;
  TensorFile of_timm = plain;
  of_timm.metadata["homolog.heads"] = "1";
  twin.load(of_timm);
  twin.position_interpolation = PositionInterpolation::hub;
  CHECK(at::equal(twin.features(input).patch_tokens, features));

  CHECK_THROWS_WITH_AS(twin.load(file), doctest::Contains("its keys belong to no known backbone"),
                       WeightsError);
  CHECK_THROWS_WITH_AS(backbone.load(plain), doctest::Contains("recognised as vision_transformer"),
                       WeightsError);
  backbone.randomize("own_tiny", 3);
  CHECK(backbone.features(input).patch_tokens.isfinite().all().item<bool>());
  CHECK_THROWS_AS(random_backbone_of("own_tiny", 3), WeightsError);
  CHECK(random_backbone_of<OwnFamilies>("own_tiny", 3).patch_size() == 8);
}

TEST_CASE("DINO and MAE load by name what others may be, and refuse what others certainly are") {
  const Recognized small{"mae", "", KeyStyle::original, 32, 2, 1, 16, 0, false, 128, 10};
  auto encoder = expected_tensors<MaeFamily>(small);
  std::erase_if(encoder, [](const ExpectedTensor& tensor) { return tensor.optional; });
  TensorFile sines = gold_file(encoder);
  const auto table = add_owned_tensor(sines, "pos_embed", DType::f32, {1, 10, 32});
  for (std::size_t cell = 0; cell < 9; ++cell) {  // behind a row of zeros
    const auto row =
        homolog::detail::sine_positions(32, static_cast<int>(cell % 3), static_cast<int>(cell / 3));
    std::memcpy(table.data() + (cell + 1) * 128, row.data(), 128);
  }
  Mae mae;
  mae.load(sines);
  CHECK(mae.normalization() == imagenet_normalization);
  CHECK(mae.position_interpolation == PositionInterpolation::huggingface);
  VisionTransformer plain;
  CHECK_THROWS_WITH_AS(plain.load(sines), doctest::Contains("recognised as mae"), WeightsError);

  const TensorFile unnamed =
      random_weights(expected_tensors<DinoFamily>(published<DinoFamily>("dino_vits16")), 5);
  Dino dino;
  dino.load(unnamed);
  CHECK(dino.position_interpolation == PositionInterpolation::hub);
  CHECK(dino.normalization() == imagenet_normalization);
  plain.input_normalization = imagenet_normalization;  // the weights' own come with them
  plain.load(unnamed);
  CHECK(plain.normalization() == half_normalization);
  CHECK_THROWS_WITH_AS(load_backbone_of(unnamed), doctest::Contains("may be"), WeightsError);
  CHECK(load_backbone_of(unnamed, "dino_vits16").position_interpolation ==
        PositionInterpolation::hub);
  const at::NoGradGuard no_gradients;
  const auto input = torch::linspace(-1, 1, 3 * 224 * 224).reshape({1, 3, 224, 224});
  CHECK(at::equal(dino.features(input).patch_tokens, plain.features(input).patch_tokens));
}

TEST_CASE("a renamed plain transformer has the features that it had") {
  const Recognized sizes{"dino", "", KeyStyle::original, 32, 2, 1, 16, 0, false, 128, 10};
  const TensorFile original = gold_file(expected_tensors<DinoFamily>(sizes));
  const TensorFile foreign = to_keys(original, sizes, KeyStyle::huggingface);
  const auto input = 1e-3 * torch::linspace(-1, 1, 3 * 48 * 48).reshape({1, 3, 48, 48});
  const at::NoGradGuard no_gradients;
  const auto features = [&](const TensorFile& file) {
    Dino backbone;
    backbone.load(file);
    return backbone.features(input).patch_tokens;
  };
  CHECK(at::equal(features(foreign), features(original)));
  TensorFile of_transformers = foreign;  // whose epsilon is another
  of_transformers.metadata.erase("homolog.norm_epsilon");
  Dino other;
  other.load(of_transformers);
  CHECK(other.model.norm_epsilon == 1e-12);
}

TEST_CASE("nothing tells the heads of a wide model that nobody has published") {
  const Recognized sizes{
      "vision_transformer", "", KeyStyle::timm, 1408, 1, 16, 16, 0, false, 64, 5};
  TensorFile file = random_weights(expected_tensors<VisionTransformerFamily>(sizes), 1);
  VisionTransformer backbone;
  CHECK_THROWS_WITH_AS(backbone.load(file), doctest::Contains("homolog.heads"), WeightsError);
  file.metadata["homolog.heads"] = "16";
  backbone.load(file);
  CHECK(backbone.model.heads == 16);
}
