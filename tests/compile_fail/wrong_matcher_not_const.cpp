// SPDX-License-Identifier: Apache-2.0
// A matcher whose call operator is not const: not safe to call from several threads.
#include "homolog/matchers/match_queries.hpp"

struct WrongMatcher {
  homolog::Match operator()(const homolog::SimilarityMap& map) { return {{0, 0}, map(0, 0)}; }
};

int main() {
  const homolog::FeatureMap map(2, 2, 4);
  homolog::match_descriptors(WrongMatcher{}, map.descriptors(), map);
}
