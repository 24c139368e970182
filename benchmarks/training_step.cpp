// SPDX-License-Identifier: Apache-2.0
// A training step with the frozen blocks' output kept, and without: two trainings in one process
// take turns at the same steps, whose losses are compared first.
#include <ATen/Parallel.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "drawn_set/generate.hpp"
#include "homolog/backbones/dinov2.hpp"
#include "homolog/core/files.hpp"
#include "homolog/datasets/spair.hpp"
#include "homolog/train/detail/step_batches.hpp"
#include "homolog/train/trainer.hpp"
#include "homolog/train/training.hpp"

namespace {

using namespace homolog;

// One training of its own weights.
struct Arm {
  Arm(const Dataset& dataset_, const Training<>& training_, const std::string& variant,
      int image_size, bool keep)
      : training(training_),
        dataset(dataset_),
        backbone(random_backbone(variant)),
        trainer(training_.tuning(backbone), training_.setting.trainer, training_.optimizer),
        trunk(backbone, trainer.tuned.first_block, pipeline(image_size)) {
    trunk.keep = keep;
    pictures = make_picture_set(dataset, [this](Size image) { return trunk.transform(image); });
    if (!keep) return;
    for (const auto& picture : pictures.pictures) trunk.tokens(picture.path, picture.flip);
  }

  static DinoV2 random_backbone(const std::string& variant) {
    DinoV2 backbone;
    backbone.randomize(variant, 1);
    return backbone;
  }
  static PipelineSetting pipeline(int image_size) {
    PipelineSetting setting;
    setting.image_size = image_size;
    return setting;
  }

  double step(std::int64_t number, double& seconds) {
    const auto begin = std::chrono::steady_clock::now();
    std::size_t points = 0;
    std::vector<PairBatch> batches;
    const std::int64_t epoch = number / steps.an_epoch();
    for (const auto& part : steps.parts_of_step(epoch, number % steps.an_epoch(), points)) {
      batches.push_back(steps.make_batch(part, epoch));
    }
    const double loss = trainer.step(backbone, training.loss, batches, 1, points).loss;
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return loss;
  }

  const Training<>& training;
  const Dataset& dataset;
  PictureSet pictures;
  DinoV2 backbone;
  Trainer<> trainer;
  FrozenTrunk trunk;
  homolog::detail::StepBatches<Augmentation> steps{dataset, training.setting, training.augment,
                                                   pictures, trunk};
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A training step with and without the frozen blocks' output kept");
  std::string variant = "dinov2_vits14";
  int threads = 2, steps = 21, image_size = 224;
  Training<> training;
  int& unfreeze = training.tuning.setting.blocks;
  int& batch_size = training.setting.batch_size;
  app.add_option("--backbone", variant)->capture_default_str();
  app.add_option("--image-size", image_size)->capture_default_str();
  app.add_option("--unfreeze", unfreeze)->capture_default_str();
  app.add_option("--batch-size", batch_size)->capture_default_str();
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--steps", steps)->check(CLI::Range(1, 100000))->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(threads);
  const auto folder = std::filesystem::temp_directory_path() /
                      ("homolog_training_step_" + std::to_string(::getpid()));
  int status = 0;
  try {
    drawn_set::Setting synthetic;
    synthetic.train_images = 3;
    drawn_set::generate(folder, synthetic);
    const Dataset dataset = load_spair(folder, "trn");
    Arm kept(dataset, training, variant, image_size, true);
    Arm computed(dataset, training, variant, image_size, false);
    std::vector<double> kept_seconds, computed_seconds, ratios;
    double worst = 0;
    for (int number = -1; number < steps; ++number) {  // the first one warms up
      double a = 0, b = 0;
      const double loss = kept.step(number + 1, a);
      worst = std::max(worst, std::abs(computed.step(number + 1, b) - loss) / std::abs(loss));
      if (number < 0) continue;
      kept_seconds.push_back(a);
      computed_seconds.push_back(b);
      ratios.push_back(b / a);
    }
    if (!(worst <= 1e-6)) {
      throw ValueError(homolog::detail::text("the losses differ by ", worst, " of their value"));
    }
    std::printf("%s, %d px, last %d blocks tuned, %d pairs a step, %d threads, %d steps\n",
                variant.c_str(), image_size, unfreeze, batch_size, threads, steps);
    std::printf("losses differ by at most %.1e of their value\n", worst);
    std::printf("kept %.1f ms, computed %.1f ms, ratio %.2f (medians)\n",
                1000 * median(kept_seconds), 1000 * median(computed_seconds), median(ratios));
  } catch (const Error& error) {
    std::fprintf(stderr, "training_step: %s\n", error.what());
    status = 1;
  }
  homolog::remove_folder(folder);
  return status;
}
