// SPDX-License-Identifier: Apache-2.0
// homolog::compiled: see homolog/compiled.hpp.
#define HOMOLOG_COMPILING_STOCK_PIPELINES
#include "homolog/compiled.hpp"

#include "homolog/backbones/load_backbone.hpp"

namespace homolog::inline v0_1 {

AnyBackbone load_backbone(const std::filesystem::path& weights, const LoadSetting& setting) {
  return load_backbone<StockFamilies>(weights, setting);
}

HOMOLOG_STOCK_PIPELINES();

}  // namespace homolog::inline v0_1
