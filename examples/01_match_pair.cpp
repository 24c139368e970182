// SPDX-License-Identifier: Apache-2.0
// Finds keypoints of one photograph in another with real weights.
//   01_match_pair WEIGHTS SOURCE TARGET x y [x y ...]
#include <cstdio>
#include <cstdlib>
#include <homolog/homolog.hpp>

int main(int argc, char** argv) {
  if (argc < 6 || argc % 2 != 0) {
    std::fprintf(stderr, "usage: %s WEIGHTS SOURCE TARGET x y [x y ...]\n", argv[0]);
    return 2;
  }
  try {
    const homolog::AnyBackbone backbone = homolog::load_backbone(argv[1]);  // .safetensors or .pth
    homolog::PipelineSetting setting;
    setting.image_size = 224;

    const homolog::Image source = homolog::load_image(argv[2]);
    const homolog::Image target = homolog::load_image(argv[3]);
    homolog::Points<homolog::ImageFrame> keypoints;  // pixels of the source
    for (int i = 4; i < argc; i += 2) {
      keypoints.push_back({std::atof(argv[i]), std::atof(argv[i + 1])});
    }
    const auto result =
        homolog::match(backbone, source, target, keypoints, homolog::WindowSoftArgmax{}, setting);
    for (std::size_t i = 0; i < keypoints.size(); ++i) {
      std::printf("(%.1f, %.1f) -> (%.1f, %.1f)  cosine %.3f\n", keypoints[i].x, keypoints[i].y,
                  result.points[i].x, result.points[i].y, static_cast<double>(result.scores[i]));
    }
  } catch (const homolog::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
