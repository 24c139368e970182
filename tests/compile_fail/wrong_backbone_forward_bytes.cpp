// SPDX-License-Identifier: Apache-2.0
// A backbone whose optional member takes other parameters: it would be passed over in silence.
#include "homolog/backbones/synthetic.hpp"

struct WrongBackbone : homolog::SyntheticBackbone {
  std::uint64_t forward_bytes(int pictures) const { return 1000 * std::uint64_t(pictures); }
};

int main() { homolog::require_backbone<WrongBackbone>(); }
