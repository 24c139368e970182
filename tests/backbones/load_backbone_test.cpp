// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include "homolog/backbones/load_backbone.hpp"

#include "backbones/gold.hpp"
#include "homolog/backbones/transformer_of.hpp"
#include "homolog/match.hpp"
#include "homolog/weights/safetensors.hpp"
#include "pipeline/pictures.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

TEST_CASE("load_backbone() finds the family of a file, and answers as the family's own type") {
  const TemporaryFolder folder;
  const auto path = folder.path / "weights.safetensors";
  write_safetensors(
      path, random_weights(
                expected_tensors<DinoV2Family>(published<DinoV2Family>("dinov2_vits14_reg")), 4));
  const Image source = noise_picture(80, 60, 1), target = noise_picture(70, 75, 2);
  const Points<ImageFrame> points{{20, 30}, {61.5, 40.25}};
  PipelineSetting setting;
  setting.image_size = 70;
  DinoV2 own;
  own.load(path);
  own.setting.layer = 3;
  LoadSetting wanted;
  wanted.layer = 3;
  const AnyBackbone backbone = load_backbone(path, wanted);
  const auto expected = match(own, source, target, points, WindowSoftArgmax{}, setting);
  CHECK(match(backbone, source, target, points, WindowSoftArgmax{}, setting).scores ==
        expected.scores);
  wanted.device = "best";
  const auto best =
      match(load_backbone(path, wanted), source, target, points, WindowSoftArgmax{}, setting);
  for (std::size_t i = 0; i < points.size(); ++i) {
    CHECK(best.scores[i] == doctest::Approx(expected.scores[i]).epsilon(1e-3));
  }
  CHECK(best_device() == (torch::cuda::is_available() ? "cuda" : "cpu"));

  wanted.layer = 12;
  CHECK_THROWS_AS(load_backbone(path, wanted), SettingError);
  wanted = {};
  wanted.device = "fastest";
  CHECK_THROWS_WITH_AS(load_backbone(path, wanted),
                       "load_backbone: fastest is no device, expected best, cpu, cuda or cuda:1",
                       SettingError);
  wanted = {};
  wanted.dtype = "int8";
  CHECK_THROWS_AS(load_backbone(path, wanted), SettingError);
  wanted = {};
  wanted.variant = "dinov2_vitb14";
  CHECK_THROWS_AS(load_backbone(path, wanted), WeightsError);
  CHECK_THROWS_AS(load_backbone(folder.path / "none.pth"), FileError);
}
