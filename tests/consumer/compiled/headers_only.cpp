// SPDX-License-Identifier: Apache-2.0
// The same as app.cpp, header-only.
#include <cstdio>
#include <homolog/homolog.hpp>

int main(int, char** argv) {
  homolog::Pipeline<homolog::DinoV2, homolog::WindowSoftArgmax> pipeline;
  pipeline.backbone.load(argv[1]);
  const auto result = pipeline.match(homolog::load_image(argv[2]), homolog::load_image(argv[3]),
                                     {{120, 80}, {64, 100}});
  std::printf("%.1f %.1f\n", result.points[0].x, result.points[0].y);
}
