// SPDX-License-Identifier: Apache-2.0
// Draws a small synthetic data set and scores two matchers and the floor on it, without
// weights.
//   04_evaluate FOLDER   (a folder that does not exist yet)
#include <cstdio>
#include <homolog/backbones/synthetic.hpp>
#include <homolog/datasets/spair.hpp>
#include <homolog/matchers/copy_coordinates.hpp>
#include <homolog/matchers/window_soft_argmax.hpp>
#include <homolog/pipeline/evaluate.hpp>

#include "drawn_set/generate.hpp"

template <class Matcher>
void score(const char* name, const homolog::Dataset& dataset) {
  homolog::Pipeline<homolog::SyntheticBackbone, Matcher> pipeline;
  pipeline.setting.image_size = 256;
  const homolog::Evaluation evaluation = homolog::evaluate(pipeline, dataset);
  std::printf("%-20s PCK@0.1 per point %5.1f, per image %5.1f (%zu pairs, %zu forwards)\n", name,
              100 * evaluation.total.per_point[1], 100 * evaluation.total.per_image[1],
              evaluation.total.pairs, evaluation.backbone_forwards);
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  try {
    drawn_set::generate(argv[1], {.seed = 7});
    const homolog::Dataset dataset = homolog::load_spair(argv[1], "test");
    score<homolog::CopyCoordinates>("copy coordinates", dataset);
    score<homolog::Argmax>("argmax", dataset);
    score<homolog::WindowSoftArgmax>("window soft-argmax", dataset);
  } catch (const homolog::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
