// SPDX-License-Identifier: Apache-2.0
// A matcher whose optional member is not const: it would be passed over in silence.
#include <optional>

#include "homolog/matchers/match_queries.hpp"

struct WrongMatcher {
  homolog::Match operator()(const homolog::SimilarityMap& map) const { return {{0, 0}, map(0, 0)}; }
  std::optional<int> reach() { return 0; }
};

int main() {
  const homolog::FeatureMap map(2, 2, 4);
  homolog::match_descriptors(WrongMatcher{}, map.descriptors(), map);
}
