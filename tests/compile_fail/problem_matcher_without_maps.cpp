// SPDX-License-Identifier: Apache-2.0
// A matcher that needs positions, called without any.
#include "homolog/matchers/copy_coordinates.hpp"
#include "homolog/matchers/match_queries.hpp"

int main() {
  const homolog::FeatureMap map(2, 2, 4);
  homolog::match_descriptors(homolog::CopyCoordinates{}, map.descriptors(), map);
}
