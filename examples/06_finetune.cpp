// SPDX-License-Identifier: Apache-2.0
// Tunes the block in use with a loss of our own on a small synthetic set, and scores it before and
// after, from memory and from the checkpoint.
//   06_finetune WEIGHTS FOLDER   (a folder that does not exist yet)
#include <cstdio>
#include <homolog/homolog.hpp>
#include <homolog/train/finetune.hpp>
#include <homolog/train/load_tuned.hpp>

#include "drawn_set/generate.hpp"

// Distance to the truth in cells, which forgives a far miss more than its square does.
struct CoordinateDistance {
  torch::Tensor operator()(const homolog::CorrespondenceBatch& batch) const {
    const auto predicted = homolog::SoftArgmax{}.decode(batch.similarity);
    return at::linalg_vector_norm(predicted - batch.truth, 2, -1);
  }
};

double score(const homolog::DinoV2& backbone, const homolog::Dataset& dataset,
             const homolog::PipelineSetting& setting) {
  homolog::Pipeline<homolog::DinoV2, homolog::WindowSoftArgmax> pipeline{backbone};
  pipeline.matcher.setting.temperature = 50;
  pipeline.setting = setting;
  return 100 * homolog::evaluate(pipeline, dataset).total.per_point[1];
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s WEIGHTS FOLDER\n", argv[0]);
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[2];
    drawn_set::generate(folder / "set", {.seed = 7, .train_images = 4, .test_images = 4});
    const homolog::Dataset train = homolog::load_spair(folder / "set", "trn");
    const homolog::Dataset test = homolog::load_spair(folder / "set", "test");
    homolog::PipelineSetting pipeline;
    pipeline.image_size = 224;
    pipeline.query = homolog::Query::bilinear;

    homolog::DinoV2 backbone;
    backbone.setting.layer = 8;
    backbone.load(argv[1]);
    std::printf("frozen: PCK@0.1 per point %.1f\n", score(backbone, test, pipeline));

    homolog::Training<homolog::UnfreezeLast, CoordinateDistance> training;
    training.setting.epochs = 2;
    homolog::FinetuneSetting setting;
    setting.checkpoint_folder = folder / "checkpoints";
    setting.progress = [](const homolog::TrainProgress& now) {
      if (now.step % 8 != 0) return;
      std::printf("step %lld of %lld, loss %.3f cells\n", static_cast<long long>(now.step),
                  static_cast<long long>(now.steps), now.loss);
    };
    homolog::finetune(backbone, training, train, nullptr, pipeline, setting);
    const double tuned = score(backbone, test, pipeline);
    std::printf("tuned: PCK@0.1 per point %.1f\n", tuned);

    // The checkpoint holds the tuned tensors alone; it goes over the same weights.
    homolog::DinoV2 again;
    again.setting.layer = 8;
    again.load(argv[1]);
    homolog::load_tuned(again, homolog::find_checkpoint(folder / "checkpoints"));
    std::printf("from the checkpoint: %.1f\n", score(again, test, pipeline));
  } catch (const homolog::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
