// SPDX-License-Identifier: Apache-2.0
// Cells given where image pixels are expected.
#include "homolog/core/transforms.hpp"

homolog::Point<homolog::GridFrame> first(const homolog::FrameTransform& frames,
                                         const homolog::Points<homolog::ImageFrame>& points) {
  return frames.to_grid(points[0]);
}

int main() {
  const homolog::Points<homolog::GridFrame> cells{{3, 4}};
  first({}, cells);
}
