// SPDX-License-Identifier: Apache-2.0
// A matcher with a call operator of its own that inherits reach(): it would get parts of maps.
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/match_queries.hpp"

struct WrongMatcher : homolog::Argmax {
  homolog::Match operator()(const homolog::SimilarityMap& map) const {
    return {{0, 0}, map(map.rows() - 1, map.cols() - 1)};
  }
};

int main() {
  const homolog::FeatureMap map(2, 2, 4);
  homolog::match_descriptors(WrongMatcher{}, map.descriptors(), map);
}
