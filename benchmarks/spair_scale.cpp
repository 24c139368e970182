// SPDX-License-Identifier: Apache-2.0
// An evaluation as large as SPair-71k's test split, 12,234 pairs, on pictures of the synthetic set:
// where its time goes.
#include <ATen/Parallel.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include "drawn_set/generate.hpp"
#include "homolog/backbones/vision_transformer.hpp"
#include "homolog/core/files.hpp"
#include "homolog/datasets/spair.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "homolog/pipeline/evaluate.hpp"

namespace {

using namespace homolog;

constexpr std::size_t spair_test_pairs = 12234;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("An evaluation of SPair-71k's size");
  int threads = 1;
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024));
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(threads);
  const auto root = std::filesystem::temp_directory_path() /
                    ("homolog_spair_scale_" + std::to_string(::getpid()));
  int status = 0;
  try {
    drawn_set::Setting pictures;
    pictures.train_images = pictures.val_images = 2;
    pictures.test_images = 61;
    pictures.pairs_per_image = 26;
    drawn_set::generate(root, pictures);

    Pipeline<VisionTransformer, WindowSoftArgmax> pipeline;
    pipeline.backbone.randomize("vit_tiny_patch16_224", 1);
    pipeline.setting.threads = threads;
    const auto begin = std::chrono::steady_clock::now();
    Dataset dataset = load_spair(root, "test");
    const double load = seconds_since(begin);
    // Pairs left out evenly, so that every picture stays.
    while (dataset.pairs.size() > spair_test_pairs) {
      const std::size_t excess = dataset.pairs.size() - spair_test_pairs;
      const std::size_t step = dataset.pairs.size() / excess;
      for (std::size_t i = 0; i < excess; ++i) {
        dataset.pairs.erase(dataset.pairs.begin() + static_cast<std::ptrdiff_t>(i * (step - 1)));
      }
    }
    const Evaluation found = evaluate(pipeline, dataset);
    if (found.pairs.size() != spair_test_pairs ||
        found.backbone_forwards != found.distinct_images) {
      throw Error("another number of pairs or forwards than expected");
    }
    const auto& seconds = found.seconds;
    const double other = load + seconds.total - seconds.decode - seconds.backbone;
    std::printf(
        "%zu pairs, %zu keypoints, %zu pictures, %zu forwards of ViT-Ti/16 at %d px, window "
        "soft-argmax, %d threads\n"
        "annotations %.2f s, decoding %.2f s, backbone %.2f s, matching %.2f s, all %.2f s\n"
        "outside backbone and decoding: %.1f %% (%.1f %% without reading annotations)\n",
        found.pairs.size(), found.total.points, found.distinct_images, found.backbone_forwards,
        default_image_size_of(pipeline.backbone), threads, load, seconds.decode, seconds.backbone,
        seconds.match, load + seconds.total, 100 * other / (load + seconds.total),
        100 * (other - load) / seconds.total);
  } catch (const Error& error) {
    std::fprintf(stderr, "spair_scale: %s\n", error.what());
    status = 1;
  }
  homolog::remove_folder(root);
  return status;
}
