// SPDX-License-Identifier: Apache-2.0
// A backbone whose takes_bytes() is not const: it would be given floats in silence.
#include <vector>

#include "homolog/backbones/synthetic.hpp"

struct WrongBackbone : homolog::SyntheticBackbone {
  using homolog::SyntheticBackbone::operator();
  bool takes_bytes() { return true; }
  std::vector<homolog::FeatureMap> operator()(const homolog::ByteBatch&) const { return {}; }
};

int main() { homolog::require_backbone<WrongBackbone>(); }
