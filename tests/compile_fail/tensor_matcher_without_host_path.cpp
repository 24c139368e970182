// SPDX-License-Identifier: Apache-2.0
// A tensor path alone, in a source that does not include what brings it to the host.
#include "homolog/matchers/match_queries.hpp"

struct OnePath {
  at::Tensor decode(const at::Tensor& similarity) const;
};

int main() {
  const homolog::FeatureMap map(2, 2, 4);
  homolog::match_descriptors(OnePath{}, map.descriptors(), map);
}
