// SPDX-License-Identifier: Apache-2.0
// A backbone whose optional member has another type: it would be passed over in silence.
#include <array>
#include <vector>

#include "homolog/core/concepts.hpp"

struct WrongBackbone {
  int patch_size() const { return 16; }
  std::array<float, 3> normalization() const { return {}; }
  std::vector<homolog::FeatureMap> operator()(const homolog::InputBatch&) const { return {}; }
};

int main() { homolog::require_backbone<WrongBackbone>(); }
