// SPDX-License-Identifier: Apache-2.0
// A backbone with a patch size that is not const, held to the laws of backbones.
#include "homolog/testing/backbone_laws.hpp"

struct WrongBackbone {
  int patch_size() { return 16; }
  std::vector<homolog::FeatureMap> operator()(const homolog::InputBatch&) const { return {}; }
};

int main() { homolog::testing::check_backbone_laws(WrongBackbone{}); }
