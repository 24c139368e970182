// SPDX-License-Identifier: Apache-2.0
// A matcher that answers with a position instead of a Match.
#include "homolog/matchers/match_queries.hpp"

struct WrongMatcher {
  double operator()(const homolog::SimilarityMap& map) const { return map.size(); }
};

int main() {
  const homolog::FeatureMap map(2, 2, 4);
  const homolog::Points<homolog::GridFrame> cells{{0, 0}};
  homolog::match_queries(WrongMatcher{}, homolog::MatchProblem{map, map, cells, map.descriptors()});
}
