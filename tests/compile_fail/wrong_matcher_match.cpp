// SPDX-License-Identifier: Apache-2.0
// A matcher whose `match` is not const: it would be passed over in silence.
#include <vector>

#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/match_queries.hpp"

struct WrongMatcher : homolog::Argmax {
  std::vector<homolog::Match> match(const homolog::MatchProblem& problem) {
    return std::vector<homolog::Match>(problem.queries.size());
  }
};

int main() {
  const homolog::FeatureMap map(2, 2, 4);
  homolog::match_descriptors(WrongMatcher{}, map.descriptors(), map);
}
