// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "homolog/backbones/dinov2.hpp"
#include "homolog/match_on_device.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/kernel_soft_argmax.hpp"
#include "homolog/matchers/soft_argmax.hpp"
#include "homolog/matchers/tensor/host_path.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "pipeline/pictures.hpp"
#include "support/one_path.hpp"
#include "support/skip.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

DinoV2 small_backbone() {
  DinoV2 backbone;
  backbone.randomize("dinov2_vits14", 5);
  backbone.keep_blocks(2);
  return backbone;
}

const Points<ImageFrame> points{{20, 30}, {101.5, 80.25}, {180, 140}, {-0.5, 0}, {66, 120}};

/// Both ways of a pair's pictures, of which the host's is the reference. Two cells that are almost
/// as similar may change places when sums are made in another order; such queries do not count.
template <class M>
void check_equal(const DinoV2& on_host, const DinoV2& on_device, const M& matcher,
                 PipelineSetting setting) {
  const Image source = noise_picture(200, 160, 1), target = noise_picture(170, 190, 2);
  setting.margin = true;
  const auto expected = match(on_host, source, target, points, matcher, setting);
  const std::vector<ImageView> pictures{source, target};
  std::vector<TensorFeatures> maps = tensor_features(on_device, pictures, setting);
  const auto got = match(maps[0], maps[1], points, matcher, setting);
  REQUIRE(got.points.size() == points.size());
  REQUIRE(got.margins.size() == points.size());
  std::size_t clear = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    CHECK(got.scores[i] == doctest::Approx(expected.scores[i]).epsilon(1e-5));
    CHECK(std::abs(got.margins[i] - expected.margins[i]) < 1e-5);
    CHECK(got.mutual[i]);
    if (expected.margins[i] < 1e-5F) continue;
    ++clear;
    // 1e-4 cells of 14 px of the input, of which a pixel is less than one of the picture.
    CHECK(distance(got.points[i], expected.points[i]) < 14e-4);
  }
  CHECK(clear >= 4);

  const auto dense = match_dense(maps[0], maps[1], {40}, matcher, setting);
  const auto host_dense = match_dense(on_host, source, target, {40}, matcher, setting);
  CHECK(dense.rows == host_dense.rows);
  CHECK(dense.cols == host_dense.cols);
  CHECK((dense.source.list == host_dense.source.list));
  REQUIRE(dense.target.points.size() == host_dense.target.points.size());
  for (std::size_t i = 0; i < dense.target.points.size(); ++i) {
    if (host_dense.target.margins[i] < 1e-5F) continue;
    CHECK(distance(dense.target.points[i], host_dense.target.points[i]) < 14e-4);
  }
}

void check_device(torch::Device device) {
  const DinoV2 on_host = small_backbone();
  DinoV2 on_device = small_backbone();
  on_device.to(device);
  for (const Resize resize : {Resize::squash, Resize::letterbox}) {
    for (const Query query : {Query::nearest, Query::bilinear}) {
      PipelineSetting setting{resize, 224};
      setting.query = query;
      check_equal(on_host, on_device, Argmax{}, setting);
      check_equal(on_host, on_device, SoftArgmax{}, setting);
      check_equal(on_host, on_device, WindowSoftArgmax{}, setting);
      check_equal(on_host, on_device, KernelSoftArgmax{}, setting);
      check_equal(on_host, on_device, OnePath{}, setting);
    }
  }
}

/// Features of one picture, made without a backbone.
TensorFeatures features_of(torch::Tensor map) {
  const int rows = static_cast<int>(map.size(0)), cols = static_cast<int>(map.size(1));
  const Size picture{cols * 14, rows * 14};
  const ImageTransform image = make_image_transform(picture, Resize::native, 0, 14);
  return {std::move(map), {image, make_grid_transform(image.input, 14)}};
}

TensorFeatures random_features(std::int64_t dim = 6) {
  const auto map = at::randn({4, 5, dim});
  return features_of(map / map.norm(2, {-1}, true));
}

}  // namespace

TEST_CASE("tensors on the CPU give the host's answers, with padding and without") {
  check_device(torch::kCPU);
}

TEST_CASE("features on a CUDA device give the host's answers") {
  if (!torch::cuda::is_available()) return skip("no CUDA device here");
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  check_device(torch::kCUDA);
}

TEST_CASE("a backbone in bfloat16 gives features in float32") {
  DinoV2 backbone = small_backbone();
  backbone.to(torch::kCPU, torch::kBFloat16);
  const Image picture = noise_picture(90, 70, 3);
  const TensorFeatures features = tensor_features(backbone, picture, {Resize::squash, 112});
  CHECK((features.map.scalar_type() == torch::kFloat32));
  CHECK(at::allclose(features.map.norm(2, {-1}), at::ones({8, 8})));
  const auto found = match(features, features, {{45, 35}}, Argmax{});
  CHECK(found.scores[0] == doctest::Approx(1));
  // Maps in two dtypes are matched in the wider one.
  TensorFeatures wide = features;
  wide.map = wide.map.to(torch::kFloat64);
  CHECK((match(features, wide, {{45, 35}}, Argmax{}).points[0] == found.points[0]));
}

TEST_CASE("many points are matched block by block") {
  const auto map = at::randn({128, 128, 4});
  const TensorFeatures features = features_of(map / map.norm(2, {-1}, true));
  Points<ImageFrame> many;
  for (int i = 0; i < 2100; ++i) {  // a block holds 1024 of them
    many.push_back(features.transform.to_image(
        Point<GridFrame>{static_cast<double>(i % 128), static_cast<double>(i / 128)}));
  }
  const auto found = match(features, features, many, Argmax{});
  REQUIRE(found.points.size() == many.size());
  std::size_t same = 0;
  for (std::size_t i = 0; i < many.size(); ++i) same += found.points[i] == many[i] ? 1 : 0;
  CHECK(same == many.size());
}

// Tensors of the meta device have shapes and no values, and refuse tensors of another device as
// those of a GPU do.
TEST_CASE("no tensor of the host takes part when a device reads descriptors") {
  TensorFeatures source = random_features();
  source.map = source.map.to(at::kMeta);
  for (const Query query : {Query::nearest, Query::bilinear}) {
    const auto read = homolog::detail::sample_cells(source, {{0, 0}, {2.25, 1.5}}, query);
    CHECK((read.device().type() == at::kMeta));
    CHECK((read.sizes() == at::IntArrayRef{2, 6}));
  }
}

TEST_CASE("a cell that is not finite is no answer, and one of weight zero is not read") {
  const TensorFeatures source = random_features();
  TensorFeatures target = source;
  target.map = source.map.clone();
  target.map[1][2].fill_(std::numeric_limits<float>::quiet_NaN());
  const Point<ImageFrame> centre = source.transform.to_image(Point<GridFrame>{2, 1});
  CHECK((match(source, source, {centre}, Argmax{}).points[0] == centre));
  CHECK((match(source, target, {centre}, Argmax{}).points[0] != centre));
  // Exactly between nothing: the neighbours have weight zero, and one of them is NaN.
  PipelineSetting bilinear;
  bilinear.query = Query::bilinear;
  const Point<ImageFrame> beside = source.transform.to_image(Point<GridFrame>{1, 1});
  CHECK((match(target, source, {beside}, Argmax{}, bilinear).points[0] == beside));
  target.map.fill_(std::numeric_limits<float>::quiet_NaN());
  CHECK_THROWS_WITH_AS(
      match(source, target, {centre}, Argmax{}),
      doctest::Contains("query 0: no similarity with the target is finite; the query's feature"),
      ValueError);
}

TEST_CASE("features that do not fit are refused") {
  const TensorFeatures source = random_features();
  TensorFeatures target = random_features(7);
  CHECK_THROWS_WITH_AS(match(source, target, {{3, 3}}, Argmax{}),
                       "match on a device: the source's features have 6 floats, the target's 7",
                       ShapeError);
  target = random_features();
  target.map = target.map.to(at::kMeta);
  CHECK_THROWS_WITH_AS(match(source, target, {{3, 3}}, Argmax{}),
                       "match on a device: the source's features are on cpu, the target's on meta",
                       DeviceError);
  target.map = at::zeros({5, 4, 6});
  CHECK_THROWS_WITH_AS(
      match(source, target, {{3, 3}}, Argmax{}),
      "match on a device: the target's features are Float [5, 4, 6], expected floating [4, 5, D]",
      ShapeError);
  target.map = torch::Tensor();
  CHECK_THROWS_AS(match(source, target, {{3, 3}}, Argmax{}), ShapeError);
  target = random_features();
  target.transform.image.content = {0, 0};
  CHECK_THROWS_AS(match(source, target, {{3, 3}}, Argmax{}), ShapeError);
  CHECK_THROWS_AS(match(target, source, {{3, 3}}, Argmax{}), ShapeError);
  CHECK_THROWS_AS(match(source, source, {{300, 3}}, Argmax{}), PointError);
  CHECK_THROWS_AS(match(source, source, Points<ImageFrame>{}, Argmax{}), PointError);
  const Image one = noise_picture(90, 70, 3), other = noise_picture(40, 70, 4);
  const std::vector<ImageView> pictures{one, other};
  CHECK_THROWS_AS(tensor_features(small_backbone(), pictures, {Resize::native}), ShapeError);
  CHECK_THROWS_AS(tensor_features(small_backbone(), std::vector<ImageView>{}), ShapeError);
}
