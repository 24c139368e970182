// SPDX-License-Identifier: Apache-2.0
#pragma once

// A data set small enough to be tuned on in a test.

#include <filesystem>
#include <string>

#include "homolog/datasets/dataset.hpp"
#include "homolog/images/encode.hpp"
#include "pipeline/pictures.hpp"

namespace homolog::test {

/// Four noise pictures on disk and six pairs between them, with 3 to 5 keypoints.
inline Dataset noise_pairs(const std::filesystem::path& folder) {
  Dataset dataset{"noise", "train", ThresholdNorm::keypoint_box, {}};
  for (unsigned i = 0; i < 4; ++i) {
    save_image(folder / ("picture_" + std::to_string(i) + ".png"),
               noise_picture(70 + 4 * static_cast<int>(i), 60, i));
  }
  for (std::size_t i = 0; i < 6; ++i) {
    Pair pair;
    pair.name = std::to_string(i);
    pair.category = "noise";
    pair.source = folder / ("picture_" + std::to_string(i % 4) + ".png");
    pair.target = folder / ("picture_" + std::to_string((i + 1 + i / 4) % 4) + ".png");
    for (std::size_t n = 0; n < 3 + i % 3; ++n) {
      const auto step = static_cast<double>(n);
      pair.source_keypoints.push_back({10 + 11 * step, 20 + 7 * step});
      pair.target_keypoints.push_back({12 + 10 * step, 18 + 8 * step});
    }
    dataset.pairs.push_back(pair);
  }
  return dataset;
}

}  // namespace homolog::test
