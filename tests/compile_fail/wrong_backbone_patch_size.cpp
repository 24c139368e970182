// SPDX-License-Identifier: Apache-2.0
// A backbone that does not say how large its patches are.
#include <vector>

#include "homolog/core/concepts.hpp"

struct WrongBackbone {
  std::vector<homolog::FeatureMap> operator()(const homolog::InputBatch&) const { return {}; }
};

int main() { homolog::require_backbone<WrongBackbone>(); }
