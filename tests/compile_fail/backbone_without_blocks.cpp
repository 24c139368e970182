// SPDX-License-Identifier: Apache-2.0
// A training of a backbone that has no blocks.
#include "homolog/backbones/synthetic.hpp"
#include "homolog/train/finetune.hpp"

int main() {
  homolog::SyntheticBackbone backbone;
  homolog::finetune(backbone, homolog::Training<>{}, {}, nullptr, {});
}
