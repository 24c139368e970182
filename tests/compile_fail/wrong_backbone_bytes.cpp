// SPDX-License-Identifier: Apache-2.0
// A backbone that takes bytes, but whose call operator for them is not const.
#include <vector>

#include "homolog/backbones/synthetic.hpp"

struct WrongBackbone : homolog::SyntheticBackbone {
  using homolog::SyntheticBackbone::operator();
  bool takes_bytes() const { return true; }
  std::vector<homolog::FeatureMap> operator()(const homolog::ByteBatch&) { return {}; }
};

int main() { homolog::require_backbone<WrongBackbone>(); }
