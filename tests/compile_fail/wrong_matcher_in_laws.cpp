// SPDX-License-Identifier: Apache-2.0
// A matcher that takes an Eigen matrix, held to the laws of matchers.
#include "homolog/testing/matcher_laws.hpp"

struct WrongMatcher {
  homolog::Match operator()(homolog::FloatMatrix& map) const { return {{0, 0}, map(0, 0)}; }
};

int main() { homolog::testing::check_matcher_laws(WrongMatcher{}); }
