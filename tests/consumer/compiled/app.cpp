// SPDX-License-Identifier: Apache-2.0
// The README's program in compiled mode.
#include <cstdio>
#include <homolog/compiled.hpp>

#if defined(TORCH_API) || __has_include(<torch/torch.h>)
#error "homolog::compiled lets LibTorch's headers through"
#endif

int main(int, char** argv) {
  const homolog::Pipeline<homolog::AnyBackbone, homolog::WindowSoftArgmax> pipeline(
      homolog::load_backbone(argv[1]));
  const auto result = pipeline.match(homolog::load_image(argv[2]), homolog::load_image(argv[3]),
                                     {{120, 80}, {64, 100}});
  std::printf("%.1f %.1f\n", result.points[0].x, result.points[0].y);
}
