// SPDX-License-Identifier: Apache-2.0
// A tensor path of its own beside an inherited host path: they would give two answers.
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/match_queries.hpp"

struct WrongMatcher : homolog::Argmax {
  at::Tensor decode(const at::Tensor& similarity) const;
};

int main() { homolog::require_matcher<WrongMatcher>(); }
