// SPDX-License-Identifier: Apache-2.0
// A backbone whose optional member is not const: it would be passed over in silence.
#include "homolog/backbones/synthetic.hpp"

struct WrongBackbone : homolog::SyntheticBackbone {
  int default_image_size() { return 1024; }
};

int main() { homolog::require_backbone<WrongBackbone>(); }
