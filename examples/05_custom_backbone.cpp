// SPDX-License-Identifier: Apache-2.0
// A backbone of one's own: patch_size() and a call operator. This one describes a patch by its
// colour histogram; one over ONNX Runtime or TensorRT has the same two members.
#include <cstdio>
#include <homolog/pipeline/pipeline.hpp>

struct ColourHistogram {
  int patch_size() const { return 8; }
  std::vector<homolog::FeatureMap> operator()(const homolog::InputBatch& batch) const {
    std::vector<homolog::FeatureMap> maps;
    const int width = batch.size.width, height = batch.size.height;
    for (int i = 0; i < batch.batch; ++i) {
      homolog::FeatureMap map(height / 8, width / 8, 24);
      for (int channel = 0; channel < 3; ++channel) {
        for (int y = 0; y < height; ++y) {
          for (int x = 0; x < width; ++x) {
            const float value = batch.picture(i)[(channel * height + y) * width + x];
            const int bin = std::clamp(static_cast<int>((value + 2.2F) / 5 * 8), 0, 7);
            map.cell(y / 8, x / 8)[channel * 8 + bin] += 1;
          }
        }
      }
      maps.push_back(std::move(map));
    }
    return maps;
  }
};

int main() {
  homolog::Image picture(64, 64);
  for (int y = 24; y < 32; ++y) {
    for (int x = 40; x < 48; ++x) picture.at(x, y)[0] = 255;  // one red patch
  }
  homolog::Image moved(64, 64);
  for (int y = 8; y < 16; ++y) {
    for (int x = 16; x < 24; ++x) moved.at(x, y)[0] = 255;
  }
  homolog::Pipeline<ColourHistogram> pipeline;
  pipeline.setting.image_size = 64;
  const auto result = pipeline.match(picture, moved, {{43, 27}});
  std::printf("(43, 27) -> (%.1f, %.1f)\n", result.points[0].x, result.points[0].y);
  return result.points[0] == homolog::Point<homolog::ImageFrame>{19.5, 11.5} ? 0 : 1;
}
