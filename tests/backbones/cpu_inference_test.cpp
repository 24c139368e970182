// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include "homolog/backbones/detail/cpu_inference.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "homolog/backbones/any_backbone.hpp"
#include "homolog/backbones/dinov2.hpp"
#include "homolog/backbones/synthetic.hpp"
#include "homolog/images/prepare.hpp"
#include "homolog/pipeline/pipeline.hpp"

using namespace homolog;

namespace {

double difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kDouble) - b.to(torch::kDouble)).abs().max().item<double>();
}

}  // namespace

TEST_CASE("tasks on LibTorch's threads: each once, no slot twice at a time") {
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 4}) {
    at::set_num_threads(threads);
    for (const std::size_t count : {0UL, 1UL, 2UL, 97UL}) {
      std::vector<std::atomic<int>> calls(count), busy(static_cast<std::size_t>(threads));
      std::atomic<bool> shared{false};
      homolog::detail::on_torch_threads(count, [&](std::size_t i, std::size_t slot) {
        if (++busy.at(slot) > 1) shared = true;
        ++calls[i];
        --busy.at(slot);
      });
      for (const auto& number : calls) CHECK(number == 1);
      CHECK(!shared);
    }
  }
  at::set_num_threads(before);
}

TEST_CASE("packed weights give at::linear's numbers, GELU included") {
  const at::NoGradGuard no_gradients;
  at::manual_seed(1);
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    const double tolerance = dtype == torch::kFloat32 ? 2e-5 : 4e-2;
    if (!homolog::packs_linear_layers(dtype)) {
      MESSAGE("no packed weights here for ", std::string(c10::toString(dtype)));
    }
    for (const std::int64_t rows : {1, 3, 257, 1370}) {
      const auto x = torch::randn({2, rows, 96}).to(dtype);
      const auto weight = torch::randn({200, 96}).mul(0.1).to(dtype);
      const auto bias = torch::randn({200}).to(dtype);
      homolog::detail::PackedWeights packed;
      const auto exact =
          at::linear(x.to(torch::kDouble), weight.to(torch::kDouble), bias.to(torch::kDouble));
      CHECK(difference(homolog::detail::linear(x, weight, bias, packed), exact) < tolerance);
      CHECK(difference(
                homolog::detail::linear(x, weight, bias, packed, homolog::detail::Activation::gelu),
                at::gelu(exact)) < tolerance);
      CHECK(difference(homolog::detail::linear(x, weight, {}, packed),
                       exact - bias.to(torch::kDouble)) < tolerance);
    }
  }
}

TEST_CASE("attention of the CPU path is LibTorch's") {
  at::manual_seed(2);
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    for (const std::int64_t dim : {64, 80, 24}) {  // the last one has no kernel
      const auto qkv = torch::randn({2, 101, 3, 3, dim}).to(dtype);
      const auto expected = homolog::detail::attend_heads(qkv);  // records: LibTorch's
      const at::NoGradGuard no_gradients;
      CHECK(difference(homolog::detail::attend_heads(qkv), expected) <
            (dtype == torch::kFloat32 ? 2e-6 : 2e-2));
    }
  }
}

TEST_CASE("features with and without gradients agree, after weights have changed too") {
  DinoV2 backbone;
  backbone.randomize("dinov2_vits14", 3);
  backbone.keep_blocks(2);
  const auto input = torch::randn({1, 3, 56, 70});
  const auto without = [&] {
    const at::NoGradGuard no_gradients;
    return backbone.features(input).patch_tokens;
  };
  const auto first = without();
  CHECK(difference(first, backbone.features(input).patch_tokens) < 2e-5);
  {
    const at::NoGradGuard no_gradients;
    backbone.model.blocks[1].mlp_in_weight.mul_(3);  // in place, as an optimiser does
  }
  const auto second = without();
  CHECK(difference(first, second) > 1e-2);
  CHECK(difference(second, backbone.features(input).patch_tokens) < 2e-5);
  backbone.model.blocks[0].qkv_weight = backbone.model.blocks[0].qkv_weight * 2;  // another tensor
  CHECK(difference(without(), backbone.features(input).patch_tokens) < 2e-5);

  const DinoV2 copy = backbone;
  CHECK(difference(copy.features(input).patch_tokens, without()) < 2e-5);
}

TEST_CASE("two threads may share a backbone") {
  DinoV2 backbone;
  backbone.randomize("dinov2_vits14", 3);
  backbone.keep_blocks(1);
  const auto input = torch::randn({1, 3, 56, 56});
  std::vector<torch::Tensor> answers(4);
  std::vector<std::thread> threads;
  for (auto& answer : answers) {
    threads.emplace_back([&] {
      const at::NoGradGuard no_gradients;
      answer = backbone.features(input).patch_tokens;
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& answer : answers) CHECK(difference(answer, answers.front()) == 0);
}

TEST_CASE("autocast still decides the dtype of a product") {
  const at::NoGradGuard no_gradients;
  const auto x = torch::randn({4, 32}), weight = torch::randn({16, 32});
  homolog::detail::PackedWeights packed;
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const auto result = homolog::detail::linear(x, weight, {}, packed);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  CHECK((result.scalar_type() == at::autocast::get_autocast_dtype(at::kCPU)));
}

TEST_CASE("bytes that are normalised on the device are the inputs of prepare_input, bit for bit") {
  DinoV2 backbone;
  backbone.randomize("dinov2_vits14", 3);
  backbone.keep_blocks(1);
  backbone.input_normalization = satellite_normalization;
  CHECK(!backbone.takes_bytes());  // nothing travels on the CPU
  Image wide(37, 20), tall(20, 37);
  for (std::size_t i = 0; i < wide.pixels.size(); ++i) {
    wide.pixels[i] = static_cast<std::uint8_t>(i * 7);
    tall.pixels[i] = static_cast<std::uint8_t>(i * 11);
  }
  for (const Resize resize : {Resize::squash, Resize::letterbox}) {
    InputBatch floats(2, {56, 56});
    ByteBatch bytes(2, {56, 56});
    for (int i = 0; i < 2; ++i) {
      const Image& image = i == 0 ? wide : tall;
      const ImageTransform transform = make_image_transform(image.size(), resize, 56, 14);
      REQUIRE(transform.input == floats.size);
      prepare_input(image, transform, backbone.normalization(), ResizeFilter::bicubic,
                    floats.picture(i));
      prepare_bytes(image, transform, ResizeFilter::bicubic, bytes.picture(i));
      bytes.content[static_cast<std::size_t>(i)] = {transform.offset_x, transform.offset_y,
                                                    transform.content};
    }
    const torch::Tensor input = backbone.normalized(bytes);
    REQUIRE(input.is_contiguous());
    CHECK(std::equal(floats.values.begin(), floats.values.end(), input.const_data_ptr<float>()));
    const auto from_floats = backbone(floats), from_bytes = backbone(bytes);
    REQUIRE(from_bytes.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) CHECK(from_floats[i].values == from_bytes[i].values);
  }
  CHECK_THROWS_AS(DinoV2{}.normalized(ByteBatch(1, {14, 14})), SettingError);
}

namespace {

/// Wants bytes, and answers with their sum.
struct ByteCounter {
  int patch_size() const { return 14; }
  bool takes_bytes() const { return true; }
  std::vector<FeatureMap> operator()(const InputBatch&) const { return {}; }
  std::vector<FeatureMap> operator()(const ByteBatch& batch) const {
    FeatureMap map(batch.size.height / 14, batch.size.width / 14, 1);
    map.values.fill(batch.values.front() == 9 && batch.content.front().size == batch.size
                        ? 1.0F
                        : std::numeric_limits<float>::quiet_NaN());
    return {map};
  }
};

}  // namespace

TEST_CASE("a pipeline gives bytes to the backbone that asks for them") {
  static_assert(ByteBackbone<DinoV2> && ByteBackbone<ByteCounter>);
  Pipeline<ByteCounter> pipeline;
  pipeline.setting.image_size = 28;
  Image image(28, 28);
  std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t{9});
  CHECK(pipeline.features(image).map.values.view().array().isFinite().all());

  Pipeline<AnyBackbone> any{AnyBackbone(ByteCounter{})};
  any.setting.image_size = 28;
  CHECK(any.features(image).map.values.view().array().isFinite().all());
  const AnyBackbone drawn{SyntheticBackbone{}};
  CHECK(!drawn.takes_bytes());
  CHECK_THROWS_AS(drawn(ByteBatch(1, {28, 28})), SettingError);
}
