// SPDX-License-Identifier: Apache-2.0
// Cells given where image pixels are expected.
#include "homolog/core/transforms.hpp"

int main() {
  const homolog::FrameTransform frames;
  const homolog::Points<homolog::GridFrame> cells{{3, 4}};
  const homolog::Points<homolog::ImageFrame>& points = cells;
  frames.to_grid(points);
}
