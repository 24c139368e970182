// SPDX-License-Identifier: Apache-2.0
// The counterpart of the files beside it: what they get wrong, done right.
#include <optional>
#include <span>
#include <vector>

#include "homolog/core/concepts.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/matchers/mutual_nearest.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "homolog/metrics/pck.hpp"

struct RightMatcher {
  homolog::Match operator()(const homolog::SimilarityMap& map) const { return {{0, 0}, map(0, 0)}; }
};

struct RightBackbone {
  int patch_size() const { return 16; }
  std::vector<homolog::FeatureMap> operator()(const homolog::InputBatch& batch) const {
    return std::vector<homolog::FeatureMap>(static_cast<std::size_t>(batch.batch));
  }
};

struct RightMetric {
  double operator()(std::span<const homolog::PairErrors> pairs, double alpha) const {
    return homolog::PckPerPoint{}(pairs, alpha);
  }
};

// Policies that inherit: what they add or replace is seen, what they keep stays.
struct Named : homolog::Argmax {
  const char* name = "mine";
};
struct Narrow : homolog::WindowSoftArgmax {
  std::optional<int> reach() const { return 1; }
  homolog::Match operator()(const homolog::SimilarityMap& map) const { return {{0, 0}, map(0, 0)}; }
};
struct BothPaths {
  homolog::Match operator()(const homolog::SimilarityMap& map) const { return {{0, 0}, map(0, 0)}; }
  at::Tensor decode(const at::Tensor& similarity) const;
};
struct KeepsBothPaths : BothPaths {};
struct NewHostPath : BothPaths {  // the tensor path speaks of the other answer: it has none
  homolog::Match operator()(const homolog::SimilarityMap& map) const { return {{1, 0}, map(0, 0)}; }
};
struct Overloaded {
  homolog::Match operator()(const homolog::SimilarityMap& map) const { return {{0, 0}, map(0, 0)}; }
  homolog::Match operator()(int) const { return {}; }
  std::optional<int> reach() const { return 0; }
};
struct KeepsOverloads : Overloaded {};
struct AddsOverload : Overloaded {
  using Overloaded::operator();
  homolog::Match operator()(const homolog::SimilarityMap& map) const { return {{1, 0}, map(0, 0)}; }
};
struct Bytes : RightBackbone {
  using RightBackbone::operator();
  bool takes_bytes() const { return true; }
  std::vector<homolog::FeatureMap> operator()(const homolog::ByteBatch&) const { return {}; }
};
struct KeepsBytes : Bytes {
  int default_image_size() const { return 64; }
};
struct OwnFloats : KeepsBytes {  // its bytes are another backbone's: it is given floats
  using KeepsBytes::operator();
  std::vector<homolog::FeatureMap> operator()(const homolog::InputBatch&) const { return {}; }
};
static_assert(homolog::LocalMatcher<Named> && homolog::LocalMatcher<Narrow>);
static_assert(homolog::LocalMatcher<Overloaded> && homolog::LocalMatcher<KeepsOverloads>);
static_assert(!homolog::LocalMatcher<AddsOverload>);  // it gets whole maps
static_assert(homolog::TensorMatcher<homolog::Argmax> && homolog::TensorMatcher<BothPaths>);
static_assert(homolog::TensorMatcher<KeepsBothPaths> && !homolog::TensorMatcher<NewHostPath>);
static_assert(!homolog::TensorMatcher<Narrow> && !homolog::TensorMatcher<RightMatcher>);
static_assert(homolog::ByteBackbone<Bytes> && homolog::ByteBackbone<KeepsBytes>);
static_assert(!homolog::ByteBackbone<OwnFloats>);

int main() {
  homolog::require_matcher<Named>();
  homolog::require_matcher<Narrow>();
  homolog::require_matcher<NewHostPath>();
  homolog::require_tensor_matcher<KeepsBothPaths>();
  homolog::require_matcher<KeepsOverloads>();
  homolog::require_matcher<AddsOverload>();
  homolog::require_backbone<KeepsBytes>();
  homolog::require_backbone<OwnFloats>();
  homolog::require_backbone<RightBackbone>();
  homolog::require_metric<RightMetric>();
  homolog::require_matcher<RightMatcher>();
  homolog::require_matcher<homolog::CopyCoordinates>();
  homolog::require_matcher<homolog::MutualNearest<RightMatcher>>();
  const homolog::FeatureMap map(2, 2, 4);
  const homolog::Points<homolog::GridFrame> cells{{0, 0}};
  const homolog::MatchProblem problem{map, map, cells, map.descriptors()};
  homolog::match_queries(RightMatcher{}, problem);
  homolog::match_queries(homolog::CopyCoordinates{}, problem);
  const homolog::Points<homolog::ImageFrame> points{{0, 0}};
  const auto transform = homolog::make_image_transform({64, 64}, homolog::Resize::squash, 64, 16);
  const homolog::FrameTransform frames{transform, homolog::make_grid_transform({64, 64}, 16)};
  frames.to_grid(points);
}
