// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include <map>

#include "homolog/backbones/vision_transformer.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/images/prepare.hpp"
#include "homolog/weights/safetensors.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

// The trained head on the class token names the thing in each labelled picture: loading, forward
// and preprocessing are right together.
TEST_CASE("ViT-Ti/16 classifies its labelled pictures") {
  const auto folder = test_data() / "vit-tiny";
  const auto path = folder / "vit_tiny_patch16_224.safetensors";
  if (!std::filesystem::exists(path)) return skip("no vit-tiny under HOMOLOG_TEST_DATA");
  const std::map<std::string, int> labels{
      {"n01514668", 7},   {"n01687978", 42},  {"n01735189", 57},  {"n01847000", 97},
      {"n01855032", 98},  {"n02018795", 138}, {"n02025239", 139}, {"n02113978", 268},
      {"n02125311", 286}, {"n02127052", 287}, {"n02231487", 313}, {"n02412080", 348},
      {"n02493509", 380}, {"n03032252", 498}, {"n03062245", 503}, {"n03240683", 540},
      {"n03764736", 653}};
  VisionTransformer backbone;
  backbone.load(path, "vit_tiny_patch16_224");
  const TensorFile file = read_safetensors(path);
  const auto head = to_torch(file, "head.weight"), bias = to_torch(file, "head.bias");
  const at::NoGradGuard no_gradients;
  int right = 0, pictures = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "images")) {
    const std::string name = entry.path().filename().string();
    REQUIRE(labels.contains(name.substr(0, 9)));
    const Image image = load_image(entry.path());
    // Shorter side to 248, then the centre 224 pixels.
    const double scale = 248.0 / std::min(image.width, image.height);
    const Size resized{static_cast<int>(image.width * scale),
                       static_cast<int>(image.height * scale)};
    const Image whole = resize_image(image, resized);
    Image crop(224, 224);
    const int left = (resized.width - 224) / 2, top = (resized.height - 224) / 2;
    for (int y = 0; y < 224; ++y) std::copy_n(whole.at(left, top + y), 3 * 224, crop.at(0, y));
    InputBatch batch(1, {224, 224});
    prepare_input(crop, make_image_transform(crop.size(), Resize::squash, 224, 16),
                  backbone.normalization(), ResizeFilter::bicubic, batch.picture(0));
    const auto input = torch::from_blob(batch.values.data(), {1, 3, 224, 224});
    const auto logits = at::linear(backbone.features(input).class_token, head, bias);
    right += logits.argmax().item<int>() == labels.at(name.substr(0, 9));
    ++pictures;
  }
  CHECK(pictures == 17);
  CHECK(right == 17);
}

TEST_CASE("random weights of a seed are the same weights") {
  VisionTransformer a, b, c;
  a.randomize("vit_tiny_patch16_224", 3);
  b.randomize("vit_tiny_patch16_224", 3);
  c.randomize("vit_tiny_patch16_224", 4);
  const auto input = torch::rand({1, 3, 224, 224});
  CHECK(at::equal(a.features(input).patch_tokens, b.features(input).patch_tokens));
  CHECK_FALSE(at::equal(a.features(input).patch_tokens, c.features(input).patch_tokens));
  CHECK_THROWS_AS(a.randomize("vit_unheard_of", 3), Error);
}
