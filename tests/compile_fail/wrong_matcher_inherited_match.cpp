// SPDX-License-Identifier: Apache-2.0
// A matcher with a call operator of its own that inherits match(): it would never be called.
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/mutual_nearest.hpp"

struct WrongMatcher : homolog::MutualNearest<homolog::Argmax> {
  homolog::Match operator()(const homolog::SimilarityMap& map) const { return {{0, 0}, map(0, 0)}; }
};

int main() { homolog::require_matcher<WrongMatcher>(); }
