// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include "backbones/gold.hpp"
#include "homolog/backbones/any_backbone.hpp"
#include "homolog/backbones/dinov2.hpp"
#include "homolog/backbones/dinov3.hpp"
#include "homolog/backbones/sam.hpp"
#include "homolog/backbones/vision_transformer.hpp"
#include "homolog/testing/doctest.hpp"

using namespace homolog;
using namespace homolog::test;

// The backbones that need LibTorch keep the laws, with small random or made weights.
namespace {

struct RandomDinoV2 : DinoV2 {
  RandomDinoV2() { randomize("dinov2_vits14", 1); }
};
struct RandomDinoV2Registers : DinoV2 {
  RandomDinoV2Registers() { randomize("dinov2_vits14_reg", 2); }
};
struct RandomDinoV3 : DinoV3 {
  RandomDinoV3() { randomize("dinov3_vits16", 3); }
};
struct RandomVisionTransformer : VisionTransformer {
  RandomVisionTransformer() { randomize("vit_tiny_patch16_224", 4); }
};
struct KeysOfDinoV2 : RandomDinoV2 {
  KeysOfDinoV2() {
    setting.facet = Facet::key;
    setting.layer = 8;
  }
};
struct TinySam : Sam {
  TinySam() {
    load(gold_file(expected_tensors<SamFamily>(tiny_sam())));
    model.heads = 2;
  }
};
struct ErasedDinoV2 : AnyBackbone {
  ErasedDinoV2() : AnyBackbone(RandomDinoV2{}) {}
};

}  // namespace

HOMOLOG_TEST_BACKBONE(RandomDinoV2);
HOMOLOG_TEST_BACKBONE(RandomDinoV2Registers);
HOMOLOG_TEST_BACKBONE(RandomDinoV3);
HOMOLOG_TEST_BACKBONE(RandomVisionTransformer);
HOMOLOG_TEST_BACKBONE(KeysOfDinoV2);
HOMOLOG_TEST_BACKBONE(TinySam);
HOMOLOG_TEST_BACKBONE(ErasedDinoV2);
