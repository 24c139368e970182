// SPDX-License-Identifier: Apache-2.0
// A matcher of one's own: any struct with this call operator composes into a Pipeline.
#include <cstdio>
#include <homolog/backbones/synthetic.hpp>
#include <homolog/pipeline/pipeline.hpp>

struct MeanOfBest {  // the mean position of the k most similar cells
  int k = 3;
  homolog::Match operator()(const homolog::SimilarityMap& map) const {
    Eigen::MatrixXf left = map;
    homolog::Match match{{0, 0}, map.maxCoeff()};
    for (Eigen::Index row, col, i = 0; i < k; ++i) {
      left.maxCoeff(&row, &col);
      match.cell.x += double(col) / k, match.cell.y += double(row) / k;
      left(row, col) = -2;
    }
    return match;
  }
};

int main() {
  homolog::Pipeline<homolog::SyntheticBackbone, MeanOfBest> pipeline;
  pipeline.setting.image_size = 256;

  homolog::Image picture(256, 256);  // bright blocks of different colours
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 256; ++x) {
      picture.at(x, y)[0] = static_cast<std::uint8_t>((x / 8 * 37 + y / 16 * 11) % 256);
      picture.at(x, y)[1] = static_cast<std::uint8_t>((x / 32 * y / 4 * 53) % 256);
      picture.at(x, y)[2] = static_cast<std::uint8_t>((x * x / 97 + y * 3) % 256);
    }
  }
  pipeline.matcher.k = 1;
  const auto result = pipeline.match(picture, picture, {{40, 56}, {200, 120}});
  for (std::size_t i = 0; i < result.points.size(); ++i) {
    std::printf("(%.1f, %.1f), cosine %.3f\n", result.points[i].x, result.points[i].y,
                static_cast<double>(result.scores[i]));
  }
  return result.scores[0] > 0.99F ? 0 : 1;
}
