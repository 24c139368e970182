// SPDX-License-Identifier: Apache-2.0
// A metric that forgot alpha, handed to a Pipeline.
#include <span>

#include "homolog/backbones/synthetic.hpp"
#include "homolog/pipeline/pipeline.hpp"

struct WrongMetric {
  double operator()(std::span<const homolog::PairErrors>) const { return 0; }
};

int main() {
  const homolog::Pipeline<homolog::SyntheticBackbone, homolog::Argmax, WrongMetric> pipeline;
}
