// SPDX-License-Identifier: Apache-2.0
// A backbone that takes one picture and gives one map.
#include "homolog/core/concepts.hpp"

struct WrongBackbone {
  int patch_size() const { return 16; }
  homolog::FeatureMap operator()(const float* picture) const { return {1, 1, int(picture[0])}; }
};

int main() { homolog::require_backbone<WrongBackbone>(); }
