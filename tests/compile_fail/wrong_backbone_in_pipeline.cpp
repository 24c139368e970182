// SPDX-License-Identifier: Apache-2.0
// A backbone without a patch size, handed to a Pipeline.
#include "homolog/pipeline/pipeline.hpp"

struct WrongBackbone {
  std::vector<homolog::FeatureMap> operator()(const homolog::InputBatch&) const { return {}; }
};

int main() { const homolog::Pipeline<WrongBackbone> pipeline; }
