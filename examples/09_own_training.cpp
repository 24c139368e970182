// SPDX-License-Identifier: Apache-2.0
// Steps a training by hand whose tuning, schedule, augmentation and optimiser are our own, on a
// small drawn set, and takes the checkpoint over the same weights again.
//   09_own_training WEIGHTS FOLDER   (a folder that does not exist yet)
#include <cmath>
#include <cstdio>
#include <homolog/homolog.hpp>
#include <homolog/train/finetune.hpp>
#include <homolog/train/load_tuned.hpp>

#include "drawn_set/generate.hpp"

// Tunes the norms and biases of the last two blocks alone.
struct NormsAndBiases {
  homolog::TunedWeights operator()(homolog::TransformerBackbone& backbone) const {
    return homolog::unfreeze_last(backbone, 2, [](const std::string& name) {
      return name.find("norm") != std::string::npos || name.ends_with("bias");
    });
  }
};

// Falls to a hundredth.
struct ExponentialRate {
  double operator()(std::int64_t step, std::int64_t total_steps) const {
    return std::pow(0.01, static_cast<double>(step) / static_cast<double>(total_steps));
  }
};

// Each picture has a brightness of its own.
struct Lamp {
  std::pair<homolog::AnnotatedImage, homolog::AnnotatedImage> operator()(
      homolog::AnnotatedImage source, homolog::AnnotatedImage target,
      homolog::RandomStream& random) const {
    source.image = homolog::jitter_colour(source.image, random.uniform(0.8, 1.2), 1, 1);
    target.image = homolog::jitter_colour(target.image, random.uniform(0.8, 1.2), 1, 1);
    return {source, target};
  }
};

// Gradient descent with momentum; a checkpoint holds each weight's velocity.
struct Momentum {
  homolog::OptimizerState start(const torch::Tensor& weight) const {
    return {{"velocity", torch::zeros_like(weight)}};
  }
  void operator()(const torch::Tensor& weight, const torch::Tensor& gradient,
                  homolog::OptimizerState& state, const homolog::OptimizerStep& step) const {
    weight.sub_(state.at("velocity").mul_(0.9).add_(gradient), step.learning_rate);
  }
};

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s WEIGHTS FOLDER\n", argv[0]);
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[2];
    drawn_set::generate(folder, {.seed = 7, .train_images = 4, .test_images = 4});
    const homolog::Dataset train = homolog::load_spair(folder, "trn");
    const homolog::Dataset test = homolog::load_spair(folder, "test");
    homolog::PipelineSetting pipeline;
    pipeline.image_size = 224;
    pipeline.query = homolog::Query::bilinear;
    homolog::DinoV2 backbone;
    backbone.setting.layer = 8;
    backbone.load(argv[1]);
    const homolog::DinoV2 as_it_was = backbone;

    homolog::Training<NormsAndBiases, homolog::CoordinateMse<>, ExponentialRate, Lamp, Momentum>
        training;
    training.setting.epochs = 2;
    training.setting.trainer.learning_rate = 1e-3;
    homolog::TrainingRun run(backbone, training, train, &test, pipeline);
    std::printf("frozen: PCK@0.1 per point %.1f\n", 100 * run.validate_frozen());
    while (!run.finished()) {
      const homolog::TrainProgress& now = run.step();
      if (run.epoch_ended) std::printf("epoch %d, loss %.3f\n", now.epoch, now.loss);
    }
    homolog::write_checkpoint(folder / "tuned.safetensors", run.state());
    run.finish();
    std::printf("tuned: PCK@0.1 per point %.1f\n", 100 * run.validate());

    homolog::DinoV2 again = as_it_was;
    homolog::load_tuned(again, homolog::read_checkpoint(folder / "tuned.safetensors"),
                        training.tuning);
    homolog::Pipeline<homolog::DinoV2> scored{again};
    scored.setting = pipeline;
    std::printf("from the checkpoint: %.1f\n",
                100 * homolog::evaluate(scored, test).total.per_point[1]);
  } catch (const homolog::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
