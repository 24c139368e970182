// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"

#include "homolog/train/finetune.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "homolog/backbones/dinov2.hpp"
#include "homolog/matchers/tensor/host_path.hpp"
#include "homolog/train/frozen_trunk.hpp"
#include "homolog/train/load_tuned.hpp"
#include "support/adder.hpp"
#include "support/one_path.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"
#include "train/noise_pairs.hpp"
#include "train/tiny_backbone.hpp"

using namespace homolog;

namespace {

using test::small_inputs;
using test::tiny_backbone;

/// A training whose parts are chosen by each test.
template <class Loss = CoordinateMse<>, class Matcher = Argmax>
using AnyTraining = Training<OneOf<UnfreezeLast, Lora>, Loss, OneOf<ConstantRate, CosineRate>,
                             Augmentation, AdamW, Matcher>;

template <class Loss = CoordinateMse<>, class Matcher = Argmax>
AnyTraining<Loss, Matcher> three_epochs(Loss loss = {}, Matcher matcher = {}) {
  AnyTraining<Loss, Matcher> training;
  training.loss = loss;
  training.matcher = matcher;
  training.setting.epochs = 3;
  training.setting.batch_size = 2;
  training.setting.trainer.learning_rate = 1e-3;
  return training;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The step losses of a run.
template <class T>
std::vector<double> losses_of(const Dataset& dataset, const T& training,
                              torch::Device device = torch::kCPU) {
  std::vector<double> losses;
  FinetuneSetting setting;
  setting.progress = [&losses](const TrainProgress& now) { losses.push_back(now.step_loss); };
  DinoV2 backbone = tiny_backbone();
  backbone.to(device, torch::kFloat32);
  finetune(backbone, training, dataset, nullptr, small_inputs(), setting);
  return losses;
}

}  // namespace

TEST_CASE("tuning lowers every loss, and equal seeds give equal losses") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  const auto check = [&](const auto& loss) {
    auto training = three_epochs(loss);
    training.setting.epochs = 8;
    const auto losses = losses_of(dataset, training);
    REQUIRE(losses.size() == 24);
    const auto mean = [](auto begin) { return (begin[0] + begin[1] + begin[2]) / 3; };
    CHECK(mean(losses.end() - 3) < mean(losses.begin()));
    CHECK(losses == losses_of(dataset, training));
    training.setting.seed = 1;
    CHECK(losses != losses_of(dataset, training));
  };
  check(CoordinateMse<>{});
  check(CoordinateMse<test::OnePath>{});
  check(GaussianCrossEntropy{});
  check(InfoNce{});
}

TEST_CASE("a training that is stepped, saved and restored by hand ends as finetune() does") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  const auto training = three_epochs();
  const PipelineSetting pipeline = small_inputs();
  const auto weights = [](const DinoV2& policy) { return policy.model.blocks.back(); };
  DinoV2 whole = tiny_backbone();
  const auto result = finetune(whole, training, dataset, &dataset, pipeline);

  Checkpoint middle;
  {
    DinoV2 backbone = tiny_backbone();
    TrainingRun run(backbone, training, dataset, &dataset, pipeline);
    run.validate_frozen();
    for (int i = 0; i < 4; ++i) run.step();
    CHECK(run.epoch_ended == (4 % (run.total_steps() / training.setting.epochs) == 0));
    middle = run.state();
  }
  DinoV2 backbone = tiny_backbone();
  TrainingRun run(backbone, training, dataset, &dataset, pipeline);
  run.restore(middle);
  CHECK(run.result.steps == 4);
  while (!run.finished()) run.step();
  const auto by_hand = run.finish();
  CHECK(by_hand.steps == result.steps);
  REQUIRE(by_hand.epochs.size() == result.epochs.size());
  for (std::size_t i = 0; i < result.epochs.size(); ++i) {
    CHECK(by_hand.epochs[i].loss == result.epochs[i].loss);
    CHECK(by_hand.epochs[i].pck == result.epochs[i].pck);
  }
  CHECK(torch::equal(weights(backbone).mlp_in_weight, weights(whole).mlp_in_weight));

  auto other = training;
  other.setting.seed = 5;
  TrainingRun unlike(backbone, other, dataset, &dataset, pipeline);
  CHECK_THROWS_WITH_AS(unlike.restore(middle), doctest::Contains("seed is 5"), SettingError);
}

TEST_CASE("the validation answers with the matcher that it is given, as an evaluation does") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  const auto check = [&](const auto& matcher) {
    DinoV2 backbone = tiny_backbone();
    auto training = three_epochs(CoordinateMse<test::OnePath>{}, matcher);
    training.setting.epochs = 1;
    training.setting.validation_alpha = 0.3;
    const auto result = finetune(backbone, training, dataset, &dataset, small_inputs());
    Pipeline<DinoV2, std::remove_cvref_t<decltype(matcher)>> tuned{backbone, matcher};
    tuned.setting = small_inputs();
    EvaluateSetting evaluation;
    evaluation.alphas = {training.setting.validation_alpha};
    const double pck = evaluate(tuned, dataset, evaluation).total.per_point.front();
    REQUIRE(result.epochs.back().pck);
    CHECK(*result.epochs.back().pck == pck);
    return pck;
  };
  CHECK(check(Argmax{}) != check(test::OnePath{3}));
}

TEST_CASE("what the frozen blocks gave is kept in the host's memory, whatever the device") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  const auto check = [&](torch::Device device) {
    DinoV2 backbone = tiny_backbone();
    backbone.to(device, torch::kFloat32);
    PipelineSetting inputs = small_inputs();
    FrozenTrunk trunk(std::move(backbone), 1, inputs);
    const torch::Tensor computed = trunk.tokens(dataset.pairs[0].source, false);
    const torch::Tensor kept = trunk.tokens(dataset.pairs[0].source, false);
    CHECK(trunk.forwards == 1);
    CHECK(kept.device().type() == device.type());
    CHECK(torch::equal(kept, computed));
    CHECK(trunk.memory_bytes() == computed.nbytes());
  };
  check(torch::kCPU);
  if (!torch::cuda::is_available()) return test::skip("no CUDA device here");
  check(torch::kCUDA);
}

TEST_CASE("tuning on a CUDA device takes the CPU's steps") {
  if (!torch::cuda::is_available()) return test::skip("no CUDA device here");
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  const auto check = [&](const auto& loss) {
    for (const bool cache : {true, false}) {
      auto training = three_epochs(loss);
      training.setting.cache = cache;
      const auto cpu = losses_of(dataset, training);
      const auto cuda = losses_of(dataset, training, torch::kCUDA);
      REQUIRE(cuda.size() == cpu.size());
      for (std::size_t i = 0; i < cpu.size(); ++i) {
        CHECK(cuda[i] == doctest::Approx(cpu[i]).epsilon(1e-3));
      }
      for (const auto dtype : {torch::kBFloat16, torch::kFloat16}) {
        training.setting.trainer.autocast = dtype;
        const auto narrow_cpu = losses_of(dataset, training);
        const auto narrow = losses_of(dataset, training, torch::kCUDA);
        const auto sum = [](const std::vector<double>& losses) {
          return std::accumulate(losses.begin(), losses.end(), 0.0);
        };
        CHECK(sum(narrow) == doctest::Approx(sum(narrow_cpu)).epsilon(0.01));
      }
    }
  };
  check(CoordinateMse<>{});
  check(GaussianCrossEntropy{});
  check(InfoNce{});
}

TEST_CASE("the frozen blocks' cache, in memory or in a file, changes no loss") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  for (const double flip : {0.0, 0.5}) {
    auto training = three_epochs();
    training.augment.setting.flip = flip;
    const auto cached = losses_of(dataset, training);
    training.setting.cache_folder = folder.path / "cache";
    CHECK(cached == losses_of(dataset, training));
    CHECK(cached == losses_of(dataset, training));  // from the file
    training.setting.cache = false;
    CHECK(cached == losses_of(dataset, training));
  }
}

TEST_CASE("accumulated forwards are one step of all their pairs") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  auto training = three_epochs();
  training.setting.batch_size = 4;
  const auto whole = losses_of(dataset, training);
  training.setting.batch_size = 2;
  training.setting.accumulate = 2;
  const auto parts = losses_of(dataset, training);
  REQUIRE(whole.size() == parts.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK(parts[i] == doctest::Approx(whole[i]).epsilon(1e-5));
  }
}

TEST_CASE("a resumed training ends with the same bytes as an uninterrupted one") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  std::vector<AnyTraining<>> variants(5, three_epochs());
  variants[1].augment.setting = {0.5, 0.2, 0.5};
  variants[1].setting.accumulate = 2;
  variants[2].setting.trainer.autocast = torch::kBFloat16;
  variants[2].schedule.policy = CosineRate{{.warmup_steps = 2}};
  variants[3].setting.trainer.autocast = torch::kFloat16;
  variants[3].setting.trainer.clip_norm = 0.1;
  variants[4].tuning.policy = Lora{{1, {2, 4, 7}}};
  struct Stop {};
  for (std::size_t v = 0; v < variants.size(); ++v) {
    INFO("variant ", v);
    const auto& training = variants[v];
    FinetuneSetting setting;
    setting.checkpoint_every = 1;
    const auto run = [&](const char* name, std::int64_t stop_after, bool resume) {
      setting.checkpoint_folder = folder.path / (name + std::to_string(v));
      setting.log = folder.path / (name + std::to_string(v) + ".csv");
      setting.resume = resume;
      setting.progress = [stop_after](const TrainProgress& now) {
        if (now.step == stop_after) throw Stop{};
      };
      DinoV2 backbone = tiny_backbone();
      return finetune(backbone, training, dataset, &dataset, small_inputs(), setting);
    };
    const FinetuneResult whole = run("whole", -1, false);
    CHECK_THROWS_AS(run("parts", 3, false), Stop);
    CHECK_THROWS_AS(run("parts", 5, true), Stop);
    const FinetuneResult parts = run("parts", -1, true);
    CHECK(parts.resumed_from_step == 4);
    CHECK(parts.steps == whole.steps);
    const auto newest = [&](const char* name) {
      return step_checkpoints(folder.path / (name + std::to_string(v))).at(0);
    };
    CHECK(newest("whole").filename() == newest("parts").filename());
    CHECK((content_of(newest("whole")) == content_of(newest("parts"))));
    CHECK(content_of(folder.path / ("whole" + std::to_string(v) + ".csv")) ==
          content_of(folder.path / ("parts" + std::to_string(v) + ".csv")));
    CHECK(step_checkpoints(setting.checkpoint_folder).size() == 2);

    {  // its checkpoint gives the features of the tuned backbone
      DinoV2 tuned = tiny_backbone();
      finetune(tuned, training, dataset, nullptr, small_inputs());
      DinoV2 loaded = tiny_backbone();
      load_tuned(loaded, read_checkpoint(newest("whole")));
      const at::NoGradGuard no_gradients;
      const auto input = torch::randn({1, 3, 56, 56});
      CHECK(torch::equal(tuned.features(input).patch_tokens, loaded.features(input).patch_tokens));
    }
  }
}

TEST_CASE("damaged checkpoints are passed over by name, and none whole is an error") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  auto training = three_epochs();
  FinetuneSetting setting;
  setting.checkpoint_folder = folder.path / "checkpoints";
  setting.checkpoint_every = 1;
  std::vector<std::string> messages;
  training.setting.message = [&](const std::string& line) { messages.push_back(line); };
  const auto run = [&] {
    DinoV2 backbone = tiny_backbone();
    return finetune(backbone, training, dataset, nullptr, small_inputs(), setting);
  };
  run();
  CHECK_THROWS_WITH_AS(run(), doctest::Contains("holds checkpoints of another training"),
                       SettingError);
  setting.resume = true;
  const auto newest = step_checkpoints(setting.checkpoint_folder).at(0);
  const std::string whole = content_of(newest);
  const std::vector<std::string> damages{whole.substr(0, whole.size() / 2), "",
                                         whole.substr(0, whole.size() - 9) +
                                             char(whole[whole.size() - 9] ^ 1) +
                                             whole.substr(whole.size() - 8)};
  for (const auto& damaged : damages) {
    test::write_file(newest, damaged);
    messages.clear();
    const FinetuneResult result = run();
    CHECK(result.resumed_from_step == 8);
    REQUIRE(!messages.empty());
    CHECK(messages[0].find(newest.string()) != std::string::npos);
    CHECK((content_of(newest) == whole));
  }
  for (const auto& path : step_checkpoints(setting.checkpoint_folder)) test::write_file(path, "");
  CHECK_THROWS_WITH_AS(run(), doctest::Contains("checkpoints is whole"), WeightsError);
  CHECK_THROWS_WITH_AS(newest_checkpoint(setting.checkpoint_folder.parent_path()),
                       doctest::Contains("holds no checkpoint"), WeightsError);
}

TEST_CASE("a resumed run must be the same run") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  auto training = three_epochs();
  FinetuneSetting setting;
  setting.checkpoint_folder = folder.path / "checkpoints";
  PipelineSetting pipeline = small_inputs();
  const auto run = [&] {
    DinoV2 backbone = tiny_backbone();
    return finetune(backbone, training, dataset, nullptr, pipeline, setting);
  };
  run();
  setting.resume = true;
  CHECK(run().steps == 9);  // nothing left to do
  training.setting.trainer.learning_rate = 0.5;
  CHECK_THROWS_WITH_AS(run(), doctest::Contains("learning_rate is 0.5"), SettingError);
  training.setting.trainer.learning_rate = 1e-3;
  training.tuning.policy = UnfreezeLast{{.blocks = 2}};
  CHECK_THROWS_WITH_AS(run(), doctest::Contains("unfreeze is 2, the checkpoint's run had 1"),
                       SettingError);
  training.tuning.policy = UnfreezeLast{};
  training.schedule.policy = CosineRate{};
  CHECK_THROWS_WITH_AS(run(), doctest::Contains("schedule is \"cosine\""), SettingError);
  training.schedule.policy = ConstantRate{};
  pipeline.image_size = 70;
  CHECK_THROWS_WITH_AS(run(), doctest::Contains("image_size is 70"), SettingError);
  pipeline.image_size = 56;
  training.setting.epochs = 4;
  CHECK(run().steps == 12);
}

TEST_CASE("more epochs go on where the steps that were taken are the same ones") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  auto training = three_epochs();
  DinoV2 backbone = tiny_backbone();
  const auto saved_after = [&](int steps) {
    TrainingRun run(backbone, training, dataset, nullptr, small_inputs());
    for (int i = 0; i < steps; ++i) run.step();
    return run.state();
  };
  training.schedule.policy = CosineRate{{.warmup_steps = 3}};
  const Checkpoint in_warmup = saved_after(3), behind = saved_after(5);
  training.setting.epochs = 5;
  TrainingRun longer(backbone, training, dataset, nullptr, small_inputs());
  CHECK_THROWS_WITH_AS(longer.restore(behind), doctest::Contains("epochs is 5"), SettingError);
  longer.restore(in_warmup);
  CHECK(longer.result.steps == 3);
}

TEST_CASE("a run is not resumed with other pairs of the same number") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  auto training = three_epochs();
  FinetuneSetting setting;
  setting.checkpoint_folder = folder.path / "checkpoints";
  const auto run = [&](const Dataset& train, const Dataset& validation) {
    DinoV2 backbone = tiny_backbone();
    return finetune(backbone, training, train, &validation, small_inputs(), setting);
  };
  run(dataset, dataset);
  setting.resume = true;
  CHECK(run(dataset, dataset).resumed_from_step == 9);
  const auto refused = [&](auto change) {
    Dataset other = dataset;
    change(other);
    CHECK_THROWS_WITH_AS(run(other, dataset), doctest::Contains("resume: train_pairs_hash is"),
                         SettingError);
    CHECK_THROWS_WITH_AS(run(dataset, other), doctest::Contains("resume: validation_pairs_hash is"),
                         SettingError);
  };
  refused([](Dataset& d) { std::swap(d.pairs[0], d.pairs[1]); });
  refused([](Dataset& d) { d.pairs[2].name = "another"; });
  refused([](Dataset& d) { d.pairs[2].source_keypoints[1].x += 1e-6; });
  refused([](Dataset& d) { d.pairs[3].source = d.pairs[0].source; });
  refused([](Dataset& d) { d.norm = ThresholdNorm::image_size; });
  training.setting.validation_alpha = 0.2;
  CHECK_THROWS_WITH_AS(run(dataset, dataset), doctest::Contains("validation_alpha is 0.2"),
                       SettingError);
}

TEST_CASE("a training that only does harm says so, and its best is the backbone as it was") {
  const test::TemporaryFolder folder;
  // Every pair is one picture twice: the frozen backbone finds all keypoints.
  Dataset dataset = test::noise_pairs(folder.path);
  for (auto& pair : dataset.pairs) {
    pair.target = pair.source;
    pair.target_keypoints = pair.source_keypoints;
  }
  auto training = three_epochs();
  training.setting.trainer.learning_rate = 1;
  FinetuneSetting setting;
  setting.checkpoint_folder = folder.path / "checkpoints";
  setting.log = folder.path / "log.csv";
  std::vector<std::string> messages;
  training.setting.message = [&](const std::string& line) { messages.push_back(line); };
  for (const auto& tuning : {OneOf<UnfreezeLast, Lora>{}, {Lora{{1, {2, 4, 7}}}}}) {
    training.tuning = tuning;
    homolog::remove_folder(setting.checkpoint_folder);
    messages.clear();
    DinoV2 backbone = tiny_backbone();
    const auto result = finetune(backbone, training, dataset, &dataset, small_inputs(), setting);
    REQUIRE(result.epochs.size() == 3);
    for (const auto& record : result.epochs) REQUIRE(*record.pck <= *result.pck_before);
    REQUIRE(result.best);
    CHECK(result.best->epoch == 0);
    CHECK(result.best->pck == result.pck_before);
    REQUIRE(!messages.empty());
    CHECK(messages.back().find("no epoch beat the backbone as it was") != std::string::npos);
    const std::string first = homolog::detail::text("\n0,0,,,,,", std::setprecision(6),
                                                    100 * *result.pck_before, "\n1,1,");
    CHECK(content_of(setting.log).find(first) != std::string::npos);

    DinoV2 best = tiny_backbone();
    load_tuned(best, find_checkpoint(setting.checkpoint_folder));
    const at::NoGradGuard no_gradients;
    const auto input = torch::randn({1, 3, 56, 56});
    CHECK(torch::equal(best.features(input).patch_tokens,
                       tiny_backbone().features(input).patch_tokens));
    // A resumed run knows it too.
    setting.resume = true;
    DinoV2 again = tiny_backbone();
    const auto resumed = finetune(again, training, dataset, &dataset, small_inputs(), setting);
    CHECK(resumed.best->epoch == 0);
    CHECK(resumed.pck_before == result.pck_before);
    setting.resume = false;
  }
  // The best alone is a training's, too.
  for (const auto& path : step_checkpoints(setting.checkpoint_folder)) {
    std::filesystem::remove(path);
  }
  DinoV2 backbone = tiny_backbone();
  CHECK_THROWS_WITH_AS(finetune(backbone, training, dataset, &dataset, small_inputs(), setting),
                       doctest::Contains("holds checkpoints of another training"), SettingError);
}

namespace {

/// A loss that goes wrong from a call on.
struct WrongLoss {
  int* calls;
  int from;
  double factor;  ///< 0: throws
  torch::Tensor operator()(const CorrespondenceBatch& batch) const {
    const torch::Tensor fine = CoordinateMse<>{}(batch);
    if (++*calls < from) return fine;
    if (factor == 0) throw std::runtime_error("this loss went wrong");
    return fine * factor;
  }
};

/// Names, addresses, content and gradients' switch of a backbone's weights.
struct WeightsNow {
  explicit WeightsNow(TransformerBackbone& backbone) {
    for_each_weight(backbone.model, [this](const std::string& name, torch::Tensor& weight) {
      same.push_back({name, weight, weight.detach().clone(), weight.requires_grad()});
    });
  }
  struct Weight {
    std::string name;
    torch::Tensor held, content;
    bool requires_grad;
  };
  std::vector<Weight> same;
  friend bool operator==(const WeightsNow& a, const WeightsNow& b) {
    return std::equal(a.same.begin(), a.same.end(), b.same.begin(), b.same.end(),
                      [](const Weight& x, const Weight& y) {
                        return x.name == y.name && x.held.is_same(y.held) &&
                               torch::equal(x.content, y.content) &&
                               x.content.scalar_type() == y.content.scalar_type() &&
                               x.requires_grad == y.requires_grad;
                      });
  }
};

}  // namespace

TEST_CASE("a training that throws leaves the backbone as it was") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  DinoV2 backbone = tiny_backbone();
  backbone.to(torch::kCPU, torch::kBFloat16);
  backbone.setting.layer = 1;
  const WeightsNow before(backbone);
  const auto unchanged = [&](auto change) {
    int calls = 0;
    auto training = three_epochs(WrongLoss{&calls, 1000, 1});
    FinetuneSetting setting;
    change(training, setting);
    CHECK_THROWS(finetune(backbone, training, dataset, &dataset, small_inputs(), setting));
    CHECK((WeightsNow(backbone) == before));
    CHECK(backbone.setting.layer == 1);
  };
  const auto throws_in_second_call = [](auto& t, FinetuneSetting&) {
    t.loss.from = 2, t.loss.factor = 0;
  };
  unchanged(throws_in_second_call);
  unchanged([&](auto& t, FinetuneSetting& s) {
    t.tuning.policy = Lora{{1, {2, 4, 7}}};
    throws_in_second_call(t, s);
  });
  unchanged([](auto&, FinetuneSetting& s) {
    s.progress = [](const TrainProgress& now) {
      if (now.step == 4) throw 4;
    };
  });
  unchanged([](auto& t, FinetuneSetting&) { t.setting.trainer.learning_rate = -1; });
  unchanged([](auto& t, FinetuneSetting&) { t.optimizer.setting.weight_decay = -1; });
  unchanged([](auto& t, FinetuneSetting&) { t.schedule.policy = ConstantRate{{1000}}; });
  unchanged([](auto& t, FinetuneSetting& s) {
    t.loss.from = 3, t.loss.factor = std::numeric_limits<double>::quiet_NaN();
    s.checkpoint_every = 1;
  });
}

TEST_CASE("a training that fails in its first step leaves no checkpoint in the way of the next") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  FinetuneSetting setting;
  setting.checkpoint_folder = folder.path / "checkpoints";
  const auto run = [&](double factor) {
    int calls = 0;
    DinoV2 backbone = tiny_backbone();
    auto training = three_epochs(WrongLoss{&calls, 1, factor});
    training.setting.epochs = 1;
    return finetune(backbone, training, dataset, &dataset, small_inputs(), setting);
  };
  CHECK_THROWS_AS(run(std::numeric_limits<double>::quiet_NaN()), ValueError);
  CHECK(run(1).steps == 3);
}

TEST_CASE("float16 that gives nothing finite is an error that names step and pairs") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  int epochs = 1;
  const auto run = [&](double factor, int from = 1) {
    int calls = 0;
    DinoV2 backbone = tiny_backbone();
    auto training = three_epochs(WrongLoss{&calls, from, factor});
    training.setting.trainer.autocast = torch::kFloat16;
    training.setting.epochs = epochs;
    return finetune(backbone, training, dataset, nullptr, small_inputs());
  };
  // Three steps are too few for the scale to come down to where these gradients fit.
  CHECK_THROWS_WITH_AS(run(1e5), doctest::Contains("all 3 steps to step 3, pairs "), ValueError);
  CHECK_THROWS_WITH_AS(run(1e5), doctest::Contains("were skipped"), ValueError);
  // A loss is not scaled, so no scale mends it.
  CHECK_THROWS_WITH_AS(run(std::numeric_limits<double>::infinity(), 2),
                       doctest::Contains("step 2, pairs "), ValueError);
  CHECK_THROWS_WITH_AS(run(std::numeric_limits<double>::infinity(), 2),
                       doctest::Contains("the loss is"), ValueError);
  // Gradients that overflow whatever the scale end the training when the scale has come to 1.
  epochs = 10;
  CHECK_THROWS_WITH_AS(run(1e25), doctest::Contains("step 17, pairs "), ValueError);
  // Some steps skipped is float16's normal start.
  const auto result = run(100);
  CHECK(result.skipped_steps < result.steps);
}

TEST_CASE("several processes take the steps of one with as many pairs") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  auto training = three_epochs();
  training.setting.batch_size = 6;
  const auto whole = losses_of(dataset, training);
  for (const int count : {2, 3}) {
    training.setting.batch_size = 6 / count;
    test::Adder adder(count);
    std::vector<std::vector<double>> losses(static_cast<std::size_t>(count));
    std::vector<std::thread> threads;
    for (int index = 0; index < count; ++index) {
      threads.emplace_back([&, index, own = training]() mutable {
        own.setting.shard = adder.shard(index, count);
        own.setting.sum = [&adder](torch::Tensor& values) {
          const auto wide = values.to(torch::kFloat64).contiguous();
          adder.sum({wide.mutable_data_ptr<double>(), static_cast<std::size_t>(wide.numel())});
          values.copy_(wide);
        };
        losses[static_cast<std::size_t>(index)] = losses_of(dataset, own);
      });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& own : losses) {
      CHECK(own == losses.front());
      REQUIRE(own.size() == whole.size());
      for (std::size_t i = 0; i < own.size(); ++i) {
        CHECK(own[i] == doctest::Approx(whole[i]).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("early stopping, and settings that cannot be meant") {
  const test::TemporaryFolder folder;
  const Dataset dataset = test::noise_pairs(folder.path);
  auto training = three_epochs();
  training.setting.epochs = 50;
  training.setting.patience = 1;
  training.setting.trainer.learning_rate = 1e-12;  // no epoch is better than the first
  DinoV2 backbone = tiny_backbone();
  const auto result = finetune(backbone, training, dataset, &dataset, small_inputs());
  CHECK(result.stopped_early);
  CHECK(result.epochs.size() == 1);
  CHECK(result.best->epoch == 0);  // the backbone as it was

  const auto refused = [&](auto change) {
    auto bad = three_epochs();
    FinetuneSetting setting;
    change(bad, setting);
    CHECK_THROWS_AS(finetune(backbone, bad, dataset, nullptr, small_inputs(), setting),
                    SettingError);
  };
  refused([](auto& t, FinetuneSetting&) { t.setting.epochs = 0; });
  refused([](auto& t, FinetuneSetting&) { t.setting.batch_size = 0; });
  refused([](auto& t, FinetuneSetting&) { t.tuning.policy = UnfreezeLast{{3}}; });
  refused([](auto&, FinetuneSetting& s) { s.resume = true; });
  refused([](auto&, FinetuneSetting& s) { s.keep_last = 1; });
  refused([](auto& t, FinetuneSetting&) { t.augment.setting.flip = 1.5; });
  refused([](auto& t, FinetuneSetting&) { t.setting.trainer.learning_rate = -1; });
  refused([](auto& t, FinetuneSetting&) { t.schedule.policy = ConstantRate{{1000}}; });
  refused([](auto& t, FinetuneSetting&) { t.setting.shard.count = 2; });
  PipelineSetting native;
  native.resize = Resize::native;
  CHECK_THROWS_AS(finetune(backbone, three_epochs(), dataset, nullptr, native), SettingError);

  auto wild = three_epochs();
  wild.setting.trainer.learning_rate = 1e30;
  CHECK_THROWS_AS(finetune(backbone, wild, dataset, nullptr, small_inputs()), ValueError);
}

TEST_CASE("schedule and gradient scaler") {
  CHECK(ConstantRate{{4}}(0, 10) == 0.25);
  CHECK(ConstantRate{{4}}(9, 10) == 1);
  CHECK(CosineRate{}(0, 10) == 1);
  CHECK(CosineRate{}(5, 10) == doctest::Approx(0.5));
  CHECK(CosineRate{}(10, 10) == 0);
  CHECK_THROWS_AS((CosineRate{{11}}(0, 10)), SettingError);
  GradScaler scaler;
  scaler.enabled = true;
  scaler.growth_interval = 2;
  CHECK(!scaler.update(false));
  CHECK(scaler.factor() == 32768);
  CHECK(scaler.update(true));
  CHECK(scaler.update(true));
  CHECK(scaler.factor() == 65536);
  CHECK(scaler.skipped == 1);
}
