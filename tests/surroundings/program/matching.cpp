// SPDX-License-Identifier: Apache-2.0
// Matchers, pipelines and law kits, which are templates, instantiated as users do.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "homolog/backbones/synthetic.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/images/encode.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/mutual_nearest.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/upsampled_argmax.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "homolog/metrics/pck.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/testing/backbone_laws.hpp"
#include "homolog/testing/matcher_laws.hpp"
#include "homolog/testing/metric_laws.hpp"
#include "program.hpp"

namespace {

homolog::Image noise() {
  homolog::Image image(160, 128);
  std::uint32_t state = 1;
  for (auto& byte : image.pixels) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(state >> 24U);
  }
  return image;
}

/// How far the answers are from the truth, at most, when a picture is matched with itself [px].
template <class M>
double worst_distance(const M& matcher) {
  homolog::Pipeline<homolog::SyntheticBackbone, M> pipeline;
  pipeline.matcher = matcher;
  pipeline.setting.resize = homolog::Resize::native;
  pipeline.setting.threads = 3;
  const homolog::Points<homolog::ImageFrame> points{{20, 30}, {70, 90}, {150, 15}};
  const homolog::Image image = noise();
  const auto result = pipeline.match(image, image, points);
  double worst = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double away = homolog::distance(result.points[i], points[i]);
    if (away > worst) worst = away;
  }
  return worst;
}

}  // namespace

int failures_of_matching() {
  int failures = 0;
  const auto expect = [&](const char* what, bool fine) {
    if (!fine) std::printf("%s is wrong\n", what);
    failures += fine ? 0 : 1;
  };
  constexpr double half_a_patch = 11.5;  // [px] from a patch's centre to its corner
  expect("Argmax", worst_distance(homolog::Argmax{}) < half_a_patch);
  expect("WindowSoftArgmax", worst_distance(homolog::WindowSoftArgmax{}) < 40);
  expect("KernelSoftArgmax", worst_distance(homolog::KernelSoftArgmax{}) < 40);
  // Mixed over noise, the peak may be anywhere in the picture.
  expect("SoftArgmax", worst_distance(homolog::SoftArgmax{}) < 205);
  expect("UpsampledArgmax", worst_distance(homolog::UpsampledArgmax{}) < 205);
  expect("CopyCoordinates", worst_distance(homolog::CopyCoordinates{}) < 1e-6);
  expect("MutualNearest", worst_distance(homolog::MutualNearest<homolog::Argmax>{}) < half_a_patch);
  const auto hold = [&](const std::vector<homolog::testing::Law>& laws) {
    const std::string broken = homolog::testing::broken_laws(laws);
    expect(broken.c_str(), !laws.empty() && broken.empty());
  };
  hold(homolog::testing::check_matcher_laws(homolog::Argmax{}));
  hold(homolog::testing::check_backbone_laws(homolog::SyntheticBackbone{}));
  hold(homolog::testing::check_metric_laws(homolog::PckPerPoint{}));
  const homolog::Image image = noise();
  expect("a PNG",
         homolog::decode_image(homolog::encode_png(image), "noise.png").pixels == image.pixels);
  return failures;
}
