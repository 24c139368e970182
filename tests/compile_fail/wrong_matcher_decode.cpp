// SPDX-License-Identifier: Apache-2.0
// A tensor path that is not const.
#include "homolog/matchers/match_queries.hpp"

struct WrongMatcher {
  homolog::Match operator()(const homolog::SimilarityMap&) const { return {}; }
  at::Tensor decode(const at::Tensor& similarity);
};

int main() { homolog::require_matcher<WrongMatcher>(); }
