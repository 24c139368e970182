// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"

#include "homolog/train/tuned_weights.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "backbones/gold.hpp"
#include "homolog/backbones/dinov2.hpp"
#include "homolog/backbones/dinov3.hpp"
#include "homolog/backbones/sam.hpp"
#include "homolog/train/finetune.hpp"
#include "homolog/train/load_tuned.hpp"
#include "support/test_data.hpp"
#include "train/noise_pairs.hpp"

using namespace homolog;
using test::gold_image;

namespace {

/// A tiny backbone of each kind, with its weights and the side of an input it takes.
struct Kind {
  const char* name;
  Recognized sizes;
  int side;
};

const std::vector<Kind> kinds{{"DINOv2", test::tiny_dinov2(0, false), 70},
                              {"DINOv2 with registers", test::tiny_dinov2(4, false), 70},
                              {"DINOv2 with SwiGLU", test::tiny_dinov2(0, true), 70},
                              {"DINOv3", test::tiny_dinov3(false), 64},
                              {"DINOv3 with SwiGLU", test::tiny_dinov3(true), 64},
                              {"SAM", test::tiny_sam(), 80}};

TensorFile weights_of(const Kind& kind) {
  return StockFamilies::visit(kind.sizes.family, [&]<class Family>(Family) {
    return test::gold_file(expected_tensors<Family>(kind.sizes));
  });
}

/// In float64: single precision's rounding depends on where tensors lie in memory, and the neck of
/// the tiny SAM magnifies it a thousandfold.
TransformerBackbone load(const TensorFile& file, torch::Dtype dtype = torch::kFloat64) {
  return load_backbone_of(file, "", dtype);
}

torch::Tensor patches(const TransformerBackbone& backbone, const Kind& kind) {
  return backbone.features(gold_image(kind.side, kind.side)).patch_tokens.to(torch::kFloat64);
}

/// But for the biases of a DINOv3, which are read in single precision.
bool same(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>() < 1e-6;
}

std::map<std::string, torch::Tensor> all_weights(TransformerBackbone& backbone) {
  std::map<std::string, torch::Tensor> weights;
  for_each_weight(backbone.model, [&](const std::string& name, torch::Tensor& weight) {
    if (weight.defined()) weights[name] = weight;
  });
  return weights;
}

bool belongs_to(const std::string& name, const std::string& part) { return name.starts_with(part); }

/// A loss of which every tuned tensor has a part.
void backward_from(TransformerBackbone& backbone, const Kind& kind) {
  const auto image = gold_image(kind.side, kind.side);
  const auto features =
      backbone.features_from(0, backbone.tokens_before(0, image), kind.side, kind.side);
  (features.patch_tokens * torch::linspace(0, 1, features.patch_tokens.size(2), torch::kFloat64))
      .square()
      .sum()
      .backward();
}

Checkpoint tuned_checkpoint(TransformerBackbone& backbone, const TensorFile& file, const Kind& kind,
                            const std::optional<LoraSetting>& lora,
                            const std::filesystem::path& folder) {
  Training<OneOf<UnfreezeLast, Lora>> training;
  training.setting.epochs = 1;
  training.setting.trainer.learning_rate = 1e-2;
  if (lora) training.tuning.policy = Lora{{1, *lora}};
  FinetuneSetting setting;
  setting.checkpoint_folder = folder / "checkpoints";
  training.setting.identity["weights_sha256"] = tensors_sha256(file);
  PipelineSetting pipeline;
  pipeline.image_size = kind.side;
  finetune(backbone, training, test::noise_pairs(folder), nullptr, pipeline, setting);
  return find_checkpoint(setting.checkpoint_folder);
}

}  // namespace

TEST_CASE("unfreezing changes no feature, and touches the last blocks and the norm alone") {
  for (const Kind& kind : kinds) {
    INFO(kind.name);
    const TensorFile file = weights_of(kind);
    const TransformerBackbone frozen = load(file);
    for (const int k : {1, 2}) {
      TransformerBackbone backbone = frozen;
      const auto before = all_weights(backbone);
      const TunedWeights tuned = unfreeze_last(backbone, k);
      CHECK(tuned.first_block == 2 - k);
      CHECK(same(patches(backbone, kind), patches(frozen, kind)));

      std::int64_t elements = 0;
      const std::string last = kind.sizes.family == "sam" ? "neck." : "norm.";
      std::vector<std::string> names;
      for (const auto& weight : tuned.list) {
        names.push_back(weight.name);
        elements += weight.value.numel();
      }
      CHECK(elements == tuned.elements());
      for (const auto& [name, weight] : all_weights(backbone)) {
        CAPTURE(name);
        const bool expected = belongs_to(name, "blocks.1.") || belongs_to(name, last) ||
                              (k == 2 && belongs_to(name, "blocks.0."));
        CHECK((std::find(names.begin(), names.end(), name) != names.end()) == expected);
        CHECK(weight.requires_grad() == expected);
        CHECK(weight.is_same(before.at(name)) == !expected);
      }

      backward_from(backbone, kind);
      for (const auto& weight : tuned.list) {
        CAPTURE(weight.name);
        REQUIRE(weight.value.grad().defined());
        CHECK(weight.value.grad().isfinite().all().item<bool>());
        CHECK(weight.value.grad().abs().max().item<double>() > 0);
      }
      const auto expected = patches(frozen, kind);
      const at::NoGradGuard no_gradients;
      for (const auto& weight : tuned.list) weight.value.add_(0.05);
      CHECK((patches(backbone, kind) - expected).abs().max().item<double>() > 1e-3);
      CHECK(same(patches(frozen, kind), expected));  // other copies keep theirs
      CHECK(same(patches(load(file), kind), expected));
    }
  }
}

TEST_CASE("half weights are tuned as float32 copies, and come no farther from the exact features") {
  for (const Kind& kind : kinds) {
    INFO(kind.name);
    for (const auto dtype : {torch::kBFloat16, torch::kFloat16}) {
      const auto exact = patches(load(weights_of(kind)), kind);
      TransformerBackbone backbone = load(weights_of(kind), dtype);
      const auto similarity = [&] {
        return at::cosine_similarity(exact, patches(backbone, kind), -1).mean().item<double>();
      };
      const double before = similarity();
      const TunedWeights tuned = unfreeze_last(backbone, 1);
      for (const auto& weight : tuned.list) {
        CHECK((weight.value.scalar_type() == torch::kFloat32));
      }
      CHECK(1 - similarity() < 1.1 * (1 - before));
    }
  }
}

TEST_CASE("low-rank terms start without effect and have the size of their rank") {
  for (const Kind& kind : kinds) {
    INFO(kind.name);
    const TransformerBackbone frozen = load(weights_of(kind));
    TransformerBackbone backbone = frozen;
    const TunedWeights tuned = add_lora(backbone, 2, {3, 6, 1});
    CHECK(tuned.elements() == 2 * 3 * (32 + 96 + 32 + 32));
    refresh(backbone, tuned);
    CHECK(same(patches(backbone, kind), patches(frozen, kind)));
    backward_from(backbone, kind);
    for (const auto& weight : tuned.list) {
      CAPTURE(weight.name);
      const double largest = weight.value.grad().abs().max().item<double>();
      CHECK((weight.name.ends_with(".lora_b") ? largest > 0 : largest == 0));
    }
    const at::NoGradGuard no_gradients;
    for (const auto& weight : tuned.list) weight.value.add_(0.05);
    refresh(backbone, tuned);
    CHECK((patches(backbone, kind) - patches(frozen, kind)).abs().max().item<double>() > 1e-4);
    // base + alpha / rank * up * down
    auto weights = all_weights(backbone);
    const auto original = all_weights(const_cast<TransformerBackbone&>(frozen));
    const auto value = [&](const std::string& name) {
      return std::find_if(tuned.list.begin(), tuned.list.end(),
                          [&](const auto& weight) { return weight.name == name; })
          ->value;
    };
    for (const std::string name : {"blocks.0.attn.qkv.weight", "blocks.1.attn.proj.weight"}) {
      const auto expected =
          original.at(name) + 2 * at::matmul(value(name + ".lora_b"), value(name + ".lora_a"));
      CHECK((weights.at(name) - expected).abs().max().item<double>() < 1e-12);
    }
    // Seeds decide the start of `down` alone.
    TransformerBackbone one = frozen, other = frozen;
    CHECK(at::equal(add_lora(one, 1, {2, 1, 5}).list[0].value,
                    add_lora(other, 1, {2, 1, 5}).list[0].value));
    CHECK_FALSE(at::equal(add_lora(one, 1, {2, 1, 5}).list[0].value,
                          add_lora(other, 1, {2, 1, 6}).list[0].value));
  }
}

TEST_CASE("a DINOv3's masked key bias stays zero while it is tuned") {
  TransformerBackbone backbone = load(weights_of(kinds[3]));
  const TunedWeights tuned = unfreeze_last(backbone, 1);
  backward_from(backbone, kinds[3]);
  for (const auto& weight : tuned.list) {
    if (!weight.name.ends_with("attn.qkv.bias")) continue;
    const auto gradient = weight.value.grad();
    CHECK(gradient.slice(0, 32, 64).abs().max().item<double>() == 0);
    CHECK(gradient.slice(0, 0, 32).abs().max().item<double>() > 0);
    CHECK(gradient.slice(0, 64, 96).abs().max().item<double>() > 0);
  }
}

TEST_CASE("what cannot be tuned is refused, and the backbone stays as it was") {
  TransformerBackbone backbone = load(weights_of(kinds[0]));
  const auto before = patches(backbone, kinds[0]);
  for (const int k : {0, -1, 3}) {
    CHECK_THROWS_WITH_AS(unfreeze_last(backbone, k), doctest::Contains("expected 1 to 2"),
                         SettingError);
    CHECK_THROWS_AS(add_lora(backbone, k, {}), SettingError);
  }
  for (const LoraSetting& wrong : {LoraSetting{0, 1, 0}, {33, 1, 0}, {2, 0, 0}, {2, -1, 0}}) {
    CHECK_THROWS_AS(add_lora(backbone, 1, wrong), SettingError);
  }
  backbone.setting.layer = 0;
  CHECK_THROWS_WITH_AS(unfreeze_last(backbone, 2), doctest::Contains("expected 1 to 1"),
                       SettingError);
  backbone.setting.layer = 1;
  backbone.setting.facet = Facet::key;
  CHECK_THROWS_AS(unfreeze_last(backbone, 1), SettingError);
  backbone.setting.facet = Facet::token;
  CHECK(same(patches(backbone, kinds[0]), before));
  for (const auto& [name, weight] : all_weights(backbone)) CHECK_FALSE(weight.requires_grad());
}

TEST_CASE("a checkpoint over its base, and merged into a file, gives the tuned features") {
  for (const Kind& kind : kinds) {
    for (const bool low_rank : {false, true}) {
      INFO(kind.name);
      CAPTURE(low_rank);
      const test::TemporaryFolder folder;
      const TensorFile file = weights_of(kind);
      TransformerBackbone backbone = load(file);
      const auto lora = low_rank ? std::optional(LoraSetting{2, 8, 1}) : std::nullopt;
      const auto frozen = patches(backbone, kind);
      const Checkpoint checkpoint = tuned_checkpoint(backbone, file, kind, lora, folder.path);
      const auto expected = patches(backbone, kind);
      CHECK((expected - frozen).abs().max().item<double>() > 1e-4);

      TransformerBackbone again = load(file);
      load_tuned(again, checkpoint);
      CHECK(same(patches(again, kind), expected));
      for (const auto& [name, weight] : all_weights(again)) CHECK_FALSE(weight.requires_grad());

      const auto recognized = recognize(file);
      REQUIRE(recognized.has_value());
      const TensorFile merged = merge_tuned(file, *recognized, again, checkpoint);
      CHECK(same(patches(load(merged), kind), expected));
      write_safetensors(folder.path / "merged.safetensors", merged);
      CHECK(same(patches(load(read_weights(folder.path / "merged.safetensors")), kind), expected));
      // Hugging Face's names hold the same tensors.
      const auto of_merged = recognize(merged);
      REQUIRE(of_merged.has_value());
      const auto renamed = patches(load(to_keys(merged, *of_merged, KeyStyle::huggingface)), kind);
      CHECK(same(renamed, expected));
    }
  }
}

TEST_CASE("a checkpoint is refused over weights it was not tuned from") {
  const test::TemporaryFolder folder;
  const Kind& kind = kinds[0];
  TensorFile file = weights_of(kind);
  TransformerBackbone backbone = load(file);
  Checkpoint checkpoint = tuned_checkpoint(backbone, file, kind, std::nullopt, folder.path);
  require_base(checkpoint, file);
  TensorFile other = weights_of(kind);
  add_tensor(other, "norm.bias", torch::zeros(32));
  CHECK_THROWS_WITH_AS(require_base(checkpoint, other), doctest::Contains("SHA-256"), WeightsError);
  CHECK_THROWS_AS(merge_tuned(other, *recognize(other), backbone, checkpoint), WeightsError);

  // Another architecture's tensors do not fit, and the backbone stays as it was.
  TransformerBackbone wider = load(weights_of(kinds[2]));
  const auto before = patches(wider, kinds[2]);
  CHECK_THROWS_AS(load_tuned(wider, checkpoint), WeightsError);
  CHECK(same(patches(wider, kinds[2]), before));
  const auto without = [&](const char* field) {
    Checkpoint damaged = checkpoint;
    damaged.state["identity"].erase(field);
    return damaged;
  };
  for (const char* field : {"blocks", "layer", "final_norm"}) {
    CHECK_THROWS_WITH_AS(tuned_from(without(field)), doctest::Contains("cannot be read"),
                         WeightsError);
  }
  for (const char* field : {"unfreeze", "lora_rank"}) {
    CHECK_THROWS_WITH_AS(stock_tuning(without(field)), doctest::Contains("names none of homolog's"),
                         WeightsError);
  }
}
