// SPDX-License-Identifier: Apache-2.0
// A tensor path that is a template: its type does not say what it takes and gives.
#include "homolog/matchers/match_queries.hpp"

struct WrongMatcher {
  homolog::Match operator()(const homolog::SimilarityMap&) const { return {}; }
  template <class Tensor>
  Tensor decode(const Tensor& similarity) const;
};

int main() { homolog::require_matcher<WrongMatcher>(); }
