// SPDX-License-Identifier: Apache-2.0
// A library that uses one version of homolog inside and offers NAME() to a program,
// two_versions.sh.
#include <cstdio>
#include <homolog/backbones/any_backbone.hpp>
#include <homolog/backbones/synthetic.hpp>
#include <homolog/images/decode.hpp>
#include <homolog/images/encode.hpp>
#include <homolog/matchers/mutual_nearest.hpp>
#include <homolog/matchers/window_soft_argmax.hpp>
#include <homolog/pipeline/pipeline.hpp>
#include <string>
#include <vector>

// A function whose argument is a type of homolog: only a caller of the same version may have it.
double sum_of_features(const homolog::FeatureMap& map);

#ifdef ONLY_CALLS
int main() {
  const homolog::FeatureMap map(3, 4, 5);
  return static_cast<int>(sum_of_features(map));
}
#else

double NAME() {
  homolog::Image image(96, 64);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(i * i / 97 % 251);
  }
  const std::string png = homolog::encode_png(image);
  homolog::Pipeline<homolog::AnyBackbone, homolog::MutualNearest<homolog::WindowSoftArgmax> >
      pipeline;
  pipeline.backbone = homolog::AnyBackbone(homolog::SyntheticBackbone{});
  pipeline.setting.image_size = 96;
  pipeline.setting.threads = 3;
  double sum = 0;
  for (int round = 0; round < 3; ++round) {
    std::vector<homolog::ImageFeatures> both(
        2, pipeline.features(homolog::decode_image(png, "drawn")));
    both.push_back(both.front());
    homolog::normalize_rows(both.back().map.values);
    const auto result = pipeline.match(both[1], both[2], {{20, 30}, {50, 12}, {70, 60}});
    for (const auto point : result.points) sum += point.x + 100 * point.y;
    sum += static_cast<double>(both[2].map.values(3, 5)) + both[2].map.content.x2;
  }
  return sum;
}
#ifdef DEFINES_SUM
double sum_of_features(const homolog::FeatureMap& map) { return map.values(0, 0) + NAME(); }
#endif
#endif
