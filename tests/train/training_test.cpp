// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"

#include "homolog/train/training.hpp"

#include <torch/optim/adamw.h>

#include <cmath>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "homolog/backbones/dinov2.hpp"
#include "homolog/selection/one_of.hpp"
#include "homolog/train/finetune.hpp"
#include "homolog/train/load_tuned.hpp"
#include "support/one_path.hpp"
#include "support/test_data.hpp"
#include "train/noise_pairs.hpp"
#include "train/tiny_backbone.hpp"

using namespace homolog;

namespace {

// What a user writes: each policy takes under ten lines.

struct BiasesOnly {
  TunedWeights operator()(TransformerBackbone& backbone) const {
    return unfreeze_last(backbone, 2,
                         [](const std::string& name) { return name.ends_with("bias"); });
  }
};

struct HalvesEachTenth {
  double operator()(std::int64_t step, std::int64_t total_steps) const {
    return std::pow(0.5, static_cast<double>(10 * step / total_steps));
  }
};

struct HeavyBall {
  double momentum = 0.9;
  OptimizerState start(const torch::Tensor& weight) const {
    return {{"velocity", torch::zeros_like(weight)}};
  }
  void operator()(const torch::Tensor& weight, const torch::Tensor& gradient, OptimizerState& state,
                  const OptimizerStep& step) const {
    weight.sub_(state.at("velocity").mul_(momentum).add_(gradient), step.learning_rate);
  }
};

struct DarkTarget {
  std::pair<AnnotatedImage, AnnotatedImage> operator()(AnnotatedImage source, AnnotatedImage target,
                                                       RandomStream& random) const {
    target.image = jitter_colour(target.image, random.uniform(0.5, 1), 1, 1);
    return {std::move(source), std::move(target)};
  }
};

struct EverySecondMirrored {
  bool mirrors(RandomStream& random) const { return random.below(2) == 0; }
  nlohmann::ordered_json identity() const { return {{"mirrored", "every second"}}; }
};

struct OutsideThePicture {
  std::pair<AnnotatedImage, AnnotatedImage> operator()(AnnotatedImage source, AnnotatedImage target,
                                                       RandomStream&) const {
    target.keypoints[0].x = 1e4;
    return {std::move(source), std::move(target)};
  }
};

template <class T>
std::vector<double> losses_by_hand(const Dataset& dataset, const T& training) {
  DinoV2 backbone = test::tiny_backbone();
  TrainingRun run(backbone, training, dataset, nullptr, test::small_inputs());
  std::vector<double> losses;
  while (!run.finished()) losses.push_back(run.step().step_loss);
  return losses;
}

}  // namespace

TEST_CASE("AdamW takes the steps of LibTorch's, to the bit") {
  for (const double decay : {0.0, 0.01}) {
    torch::manual_seed(3);
    auto mine = torch::randn({7, 5});
    auto theirs = mine.clone().set_requires_grad(true);
    torch::optim::AdamW reference({theirs}, torch::optim::AdamWOptions(1e-3).weight_decay(decay));
    const AdamW adamw{{decay}};
    auto state = adamw.start(mine);
    for (int i = 0; i < 30; ++i) {
      const double rate = 1e-3 * (30 - i) / 30;
      const auto gradient = torch::randn({7, 5}) * std::pow(10, i % 7 - 3);
      theirs.mutable_grad() = gradient;
      for (auto& group : reference.param_groups()) group.options().set_lr(rate);
      reference.step();
      adamw(mine, gradient, state, {rate, i + 1});
      CHECK(torch::equal(mine, theirs.detach()));
    }
  }
  CHECK_THROWS_AS((AdamW{{-1.0}}.start(torch::zeros(1))), SettingError);
  CHECK_THROWS_AS((AdamW{{std::nan("")}}.start(torch::zeros(1))), SettingError);
}

TEST_CASE("a training of the user's own policies trains, is saved and goes on") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  Training<BiasesOnly, CoordinateMse<test::OnePath>, HalvesEachTenth, DarkTarget, HeavyBall> own;
  own.setting.batch_size = 2;
  own.setting.trainer.learning_rate = 1e-3;
  DinoV2 whole = test::tiny_backbone();
  finetune(whole, own, dataset, nullptr, test::small_inputs());

  DinoV2 first = test::tiny_backbone(), second = test::tiny_backbone();
  Checkpoint middle;
  {
    TrainingRun run(first, own, dataset, nullptr, test::small_inputs());
    CHECK(run.step().learning_rate == 1e-3);
    for (int i = 1; i < 12; ++i) run.step();
    CHECK(run.progress.learning_rate == 1e-3 * std::pow(0.5, 4));  // 11 of 24 steps
    middle = run.state();
  }
  for (const auto& [name, tensor] : middle.tensors.tensors) {
    INFO(name);
    CHECK((name == "random" || name.ends_with("bias")));
  }
  TrainingRun run(second, own, dataset, nullptr, test::small_inputs());
  run.restore(middle);
  while (!run.finished()) run.step();
  const Checkpoint end = run.state();
  run.finish();
  const auto bias = [](const DinoV2& backbone) { return backbone.model.blocks.back().qkv_bias; };
  CHECK(torch::equal(bias(second), bias(whole)));
  CHECK_FALSE(torch::equal(bias(second), bias(test::tiny_backbone())));

  DinoV2 loaded = test::tiny_backbone();
  load_tuned(loaded, end, BiasesOnly{});
  CHECK(torch::equal(bias(loaded), bias(whole)));
  CHECK_THROWS_WITH_AS(load_tuned(loaded, end), doctest::Contains("hand the one that"),
                       WeightsError);

  // What is remembered must be there, in the weight's shape.
  Checkpoint damaged = middle;
  damaged.tensors.tensors.erase("velocity/blocks.1.mlp.in.bias");
  REQUIRE(damaged.tensors.tensors.size() + 1 == middle.tensors.tensors.size());
  CHECK_THROWS_AS(run.restore(damaged), WeightsError);
}

#if !defined(__clang__) || __clang_major__ >= 17
TEST_CASE("the types of a training's policies need not be written") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  const Training deduced{.tuning = UnfreezeLast{{.blocks = 2}},
                         .loss = InfoNce{},
                         .schedule = CosineRate{{.warmup_steps = 2}},
                         .setting = {.epochs = 2}};
  Training<UnfreezeLast, InfoNce, CosineRate> written;
  written.tuning.setting.blocks = 2;
  written.schedule.setting.warmup_steps = 2;
  written.setting.epochs = 2;
  CHECK(losses_by_hand(dataset, deduced) == losses_by_hand(dataset, written));
}
#endif

TEST_CASE("pairs that are mirrored by an own policy are kept like others, and named") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  Training<UnfreezeLast, CoordinateMse<>, ConstantRate, EverySecondMirrored> mirrored;
  mirrored.setting.epochs = 2;
  const auto kept = losses_by_hand(dataset, mirrored);
  CHECK(kept != losses_by_hand(dataset, Training<>{.setting = {.epochs = 2}}));
  mirrored.setting.cache_folder = folder.path / "cache";
  CHECK(kept == losses_by_hand(dataset, mirrored));
  mirrored.setting.cache = false;
  CHECK(kept == losses_by_hand(dataset, mirrored));

  DinoV2 backbone = test::tiny_backbone();
  TrainingRun run(backbone, mirrored, dataset, nullptr, test::small_inputs());
  Checkpoint other = run.state();
  other.state["identity"]["mirrored"] = "none";
  CHECK_THROWS_WITH_AS(run.restore(other), doctest::Contains("mirrored is \"every second\""),
                       SettingError);
}

TEST_CASE("an augmentation that puts keypoints outside the picture is refused") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  const Training<UnfreezeLast, CoordinateMse<>, ConstantRate, OutsideThePicture> outside;
  CHECK_THROWS_AS(losses_by_hand(dataset, outside), PointError);
}

namespace {

/// The distance to the truth, padded places included.
struct CountsPadding {
  torch::Tensor operator()(const CorrespondenceBatch& batch) const {
    const auto predicted = SoftArgmax{}.decode(batch.similarity);
    return at::linalg_vector_norm(predicted - batch.truth, 2, -1) +
           100 * at::logical_not(batch.valid).to(torch::kFloat32);
  }
};

struct MeanOfAll {
  torch::Tensor operator()(const CorrespondenceBatch& batch) const {
    return CoordinateMse<>{}(batch).mean();
  }
};

struct DropsOne {
  std::pair<AnnotatedImage, AnnotatedImage> operator()(AnnotatedImage source, AnnotatedImage target,
                                                       RandomStream&) const {
    source.keypoints = {source.keypoints[0]};
    target.keypoints = {target.keypoints[0]};
    return {std::move(source), std::move(target)};
  }
};

struct FirstBlockAlone {
  TunedWeights operator()(TransformerBackbone& backbone) const {
    TunedWeights tuned = unfreeze_last(backbone, 2);
    tuned.first_block = 1;  // so the first block runs without gradients
    return tuned;
  }
};

struct NotANumber {
  double operator()(std::int64_t step, std::int64_t) const { return step < 2 ? 1 : std::nan(""); }
};

struct SaysSeed {
  bool mirrors(RandomStream&) const { return false; }
  nlohmann::ordered_json identity() const { return {{"seed", 99}}; }
};

struct SaysAList {
  bool mirrors(RandomStream&) const { return false; }
  nlohmann::ordered_json identity() const { return nlohmann::ordered_json::array({1, 2}); }
};

}  // namespace

TEST_CASE("a loss counts no padding, whatever it gives there, and has one value a keypoint") {
  const test::TemporaryFolder folder;
  Dataset dataset = test::noise_pairs(folder.path);
  dataset.pairs.resize(2);  // of 3 and 4 keypoints
  Training<UnfreezeLast, CountsPadding> padded;
  padded.setting.epochs = 1;
  const auto together = losses_by_hand(dataset, padded);
  REQUIRE(together.size() == 1);
  double sum = 0;
  for (const std::size_t i : {0, 1}) {
    Dataset alone = dataset;
    alone.pairs = {dataset.pairs[i]};
    const auto points = static_cast<double>(alone.pairs[0].source_keypoints.size());
    sum += points * losses_by_hand(alone, padded).at(0);
  }
  CHECK(together[0] == doctest::Approx(sum / 7).epsilon(1e-5));
  CHECK_THROWS_WITH_AS(losses_by_hand(dataset, Training<UnfreezeLast, MeanOfAll>{}),
                       doctest::Contains("one value a keypoint"), ShapeError);
}

TEST_CASE("policies that would train something else in silence are refused") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  const auto refused = [&](const auto& training, const char* why) {
    CHECK_THROWS_WITH(losses_by_hand(dataset, training), doctest::Contains(why));
  };
  using Mse = CoordinateMse<>;
  refused(Training<UnfreezeLast, Mse, ConstantRate, DropsOne>{}, "keypoints, got");
  refused(Training<FirstBlockAlone>{}, "no gradient reaches 'blocks.0");
  refused(Training<UnfreezeLast, Mse, NotANumber>{}, "factor is nan in step 3");
  refused(Training<UnfreezeLast, Mse, ConstantRate, SaysSeed>{}, "give 'seed' in their identity");
  refused(Training<UnfreezeLast, Mse, ConstantRate, SaysAList>{}, "expected a JSON object");
}

TEST_CASE("a state goes into the training that it was taken of, and into no other") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  DinoV2 backbone = test::tiny_backbone();
  const Training<> training;
  TrainingRun run(backbone, training, dataset, &dataset, test::small_inputs());
  run.validate_frozen();
  for (int i = 0; i < 3; ++i) run.step();
  const Checkpoint early = run.state();
  const auto epochs = run.result.epochs.size();
  for (int i = 0; i < 2; ++i) run.step();
  run.restore(early);  // the same run goes back
  CHECK(run.result.steps == 3);
  CHECK(run.result.epochs.size() == epochs);
  CHECK(run.state().state == early.state);

  // Policies without an identity hide nothing of the one before.
  DinoV2 other = test::tiny_backbone();
  const Training<UnfreezeLast, CoordinateMse<>, HalvesEachTenth> halving;
  TrainingRun unlike(other, halving, dataset, &dataset, test::small_inputs());
  CHECK_THROWS_WITH_AS(unlike.restore(early), doctest::Contains("schedule is nothing"),
                       SettingError);
  // Weights and memory that nobody asked for are not dropped.
  DinoV2 loaded = test::tiny_backbone();
  CHECK_THROWS_WITH_AS(load_tuned(loaded, early, BiasesOnly{}),
                       doctest::Contains("which is not tuned here"), WeightsError);
  Checkpoint more = early;
  more.tensors.tensors["velocity/norm.bias"] = more.tensors.tensors.at("tuned/norm.bias");
  CHECK_THROWS_WITH_AS(run.restore(more), doctest::Contains("is no part of this optimiser's state"),
                       WeightsError);
}

TEST_CASE("a finished training leaves no gradients, and none is validated without pairs") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  DinoV2 backbone = test::tiny_backbone();
  const Training<> training;
  TrainingRun run(backbone, training, dataset, nullptr, test::small_inputs());
  CHECK_THROWS_AS(run.validate(), SettingError);
  run.step();
  run.finish();
  for_each_weight(backbone.model, [](const std::string& name, torch::Tensor& weight) {
    INFO(name);
    CHECK_FALSE(weight.requires_grad());
    CHECK_FALSE(weight.grad().defined());
  });
}

namespace {

/// A schedule that lists its fields, which are its identity then.
struct Halves {
  static constexpr std::string_view name = "halves";
  struct Setting {
    int every = 5;
    static constexpr auto fields() {
      return std::tuple(Field{"every", &Setting::every, "steps between two", Allowed::positive});
    }
  };
  Setting setting;
  double operator()(std::int64_t step, std::int64_t) const {
    return std::pow(0.5, static_cast<double>(step / setting.every));
  }
};

}  // namespace

TEST_CASE("one of some policies answers as the one that it holds, which the identity names") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  Training<UnfreezeLast, CoordinateMse<>, OneOf<ConstantRate, HalvesEachTenth, Halves>> training;
  const auto identity = [&] {
    DinoV2 backbone = test::tiny_backbone();
    TrainingRun run(backbone, training, dataset, nullptr, test::small_inputs());
    return run.state().state.at("identity");
  };
  CHECK(training.schedule(12, 24) == 1);
  CHECK(identity().at("schedule") == "constant");
  CHECK(identity().at("warmup_steps") == 0);
  CHECK(identity().at("weight_decay") == 0.01);
  CHECK(identity().at("flip") == 0.0);

  training.schedule.policy = HalvesEachTenth{};
  CHECK(training.schedule(12, 24) == std::pow(0.5, 5));
  CHECK_FALSE(identity().contains("schedule"));

  training.schedule.policy = Halves{{.every = 6}};
  CHECK(training.schedule(12, 24) == 0.25);
  CHECK(identity().at("schedule") == "halves");
  CHECK(identity().at("every") == 6);
}

TEST_CASE("no chosen weight is an error, and the backbone stays as it was") {
  DinoV2 backbone = test::tiny_backbone();
  const auto before = backbone.model.blocks.back().qkv_bias;
  CHECK_THROWS_WITH_AS(unfreeze_last(backbone, 1, [](const std::string&) { return false; }),
                       doctest::Contains("no weight"), SettingError);
  CHECK(backbone.model.blocks.back().qkv_bias.is_same(before));
}
