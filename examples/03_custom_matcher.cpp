// SPDX-License-Identifier: Apache-2.0
// A matcher of one's own: any struct with this call operator composes into a Pipeline. It keeps the
// laws that docs/how-to/extending.md lists.
#include <cstdio>
#include <homolog/backbones/synthetic.hpp>
#include <homolog/pipeline/pipeline.hpp>

struct PeakCentroid {  // the mean of the 3x3 cells around the peak, weighted by their similarity
  homolog::Match operator()(const homolog::SimilarityMap& map) const {
    const homolog::Peak peak = homolog::find_peak(map);
    double x = 0, y = 0, total = 0;
    for (auto row = std::max(peak.row - 1, 0L); row <= std::min(peak.row + 1, map.rows() - 1);
         ++row) {
      for (auto col = std::max(peak.col - 1, 0L); col <= std::min(peak.col + 1, map.cols() - 1);
           ++col) {
        const double weight = std::max(map(row, col) - peak.value + 0.2, 0.0);
        x += weight * double(col), y += weight * double(row), total += weight;
      }
    }
    return {{x / total, y / total}, peak.value};
  }
};

int main() {
  homolog::Pipeline<homolog::SyntheticBackbone, PeakCentroid> pipeline;
  pipeline.setting.image_size = 256;

  homolog::Image picture(256, 256);  // bright blocks of different colours
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 256; ++x) {
      picture.at(x, y)[0] = static_cast<std::uint8_t>((x / 8 * 37 + y / 16 * 11) % 256);
      picture.at(x, y)[1] = static_cast<std::uint8_t>((x / 32 * y / 4 * 53) % 256);
      picture.at(x, y)[2] = static_cast<std::uint8_t>((x * x / 97 + y * 3) % 256);
    }
  }
  const auto result = pipeline.match(picture, picture, {{40, 56}, {200, 120}});
  for (std::size_t i = 0; i < result.points.size(); ++i) {
    std::printf("(%.1f, %.1f), cosine %.3f\n", result.points[i].x, result.points[i].y,
                static_cast<double>(result.scores[i]));
  }
  return result.scores[0] > 0.99F ? 0 : 1;
}
