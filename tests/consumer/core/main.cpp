// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "every_core_header.hpp"

double second_answer();

struct Middle {
  homolog::Match operator()(const homolog::SimilarityMap& map) const {
    return {{double(map.cols() - 1) / 2, double(map.rows() - 1) / 2}, map(0, 0)};
  }
};

int main() {
  homolog::Pipeline<homolog::SyntheticBackbone, Middle> pipeline;
  pipeline.setting.image_size = 64;
  homolog::Image picture(64, 64);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = i * i % 251;
  const auto result = pipeline.match(picture, picture, {{10, 10}});
  std::printf("homolog %s: (%.1f, %.1f)\n", HOMOLOG_VERSION, result.points[0].x,
              result.points[0].y);
  return result.points[0].x == 31.5 && second_answer() == 31.5 ? 0 : 1;
}
