// SPDX-License-Identifier: Apache-2.0
// A source of features whose call operator is not const.
#include "homolog/pipeline/pipeline.hpp"

struct NotConst {
  int patch_size() const { return 14; }
  std::vector<homolog::FeatureMap> operator()(std::span<const homolog::PictureId>) { return {}; }
};

int main() { homolog::Pipeline<NotConst> pipeline; }
