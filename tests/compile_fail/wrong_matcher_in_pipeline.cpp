// SPDX-License-Identifier: Apache-2.0
// A matcher without a call operator, handed to a Pipeline.
#include "homolog/backbones/synthetic.hpp"
#include "homolog/pipeline/pipeline.hpp"

struct WrongMatcher {
  int radius = 2;
};

int main() { const homolog::Pipeline<homolog::SyntheticBackbone, WrongMatcher> pipeline; }
