// SPDX-License-Identifier: Apache-2.0
// The counterpart of the files beside it: what they get wrong, done right.
#include <span>
#include <vector>

#include "homolog/core/concepts.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/matchers/mutual_nearest.hpp"
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

int main() {
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
