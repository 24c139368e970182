// SPDX-License-Identifier: Apache-2.0
// A tensor path of its own beside an inherited match(): they would give two answers.
#include "homolog/matchers/match_queries.hpp"
#include "homolog/matchers/upsampled_argmax.hpp"

struct WrongMatcher : homolog::UpsampledArgmax {
  at::Tensor decode(const at::Tensor& similarity) const;
};

int main() { homolog::require_matcher<WrongMatcher>(); }
