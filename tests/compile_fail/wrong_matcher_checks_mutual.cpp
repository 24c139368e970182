// SPDX-License-Identifier: Apache-2.0
// A matcher whose checks_mutual is no constant of the class: it would be passed over in silence.
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/match_queries.hpp"

struct WrongMatcher : homolog::Argmax {
  bool checks_mutual = true;
};

int main() {
  const homolog::FeatureMap map(2, 2, 4);
  homolog::match_descriptors(WrongMatcher{}, map.descriptors(), map);
}
