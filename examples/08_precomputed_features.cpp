// SPDX-License-Identifier: Apache-2.0
// Matches with features that another program wrote, without LibTorch: ONNX Runtime, TensorRT,
// Python. A file holds `patch_tokens` [1, rows * cols, D] float32 and the metadata `rows` and
// `cols`, as `homolog features` writes it.
//   08_precomputed_features SOURCE SOURCE.safetensors TARGET TARGET.safetensors x y
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <homolog/images/decode.hpp>
#include <homolog/matchers/window_soft_argmax.hpp>
#include <homolog/pipeline/pipeline.hpp>
#include <homolog/weights/safetensors.hpp>
#include <map>
#include <span>
#include <string>
#include <vector>

// What a picture's features are looked up by is its file's name; an evaluation asks the same way.
struct FeatureFiles {
  std::map<std::string, std::string> file_of;  // picture -> its features
  int patch = 14;                              // [px]
  int patch_size() const { return patch; }
  std::vector<homolog::FeatureMap> operator()(std::span<const homolog::PictureId> pictures) const {
    std::vector<homolog::FeatureMap> maps;
    for (const homolog::PictureId& picture : pictures) {
      const std::string& path = file_of.at(picture.path);
      const homolog::TensorFile file = homolog::read_safetensors(path);
      const homolog::TensorView& tokens = file.tensors.at("patch_tokens");
      if (tokens.dtype != homolog::DType::f32 || tokens.shape.size() != 3 || tokens.shape[0] != 1) {
        throw homolog::ShapeError(path + ": expected patch_tokens [1,N,D] float32");
      }
      homolog::FeatureMap map(std::stoi(file.metadata.at("rows")),
                              std::stoi(file.metadata.at("cols")),
                              static_cast<int>(tokens.shape[2]));
      if (tokens.bytes.size() != map.bytes()) throw homolog::ShapeError("N is not rows * cols");
      std::memcpy(map.values.data(), tokens.bytes.data(), map.bytes());
      maps.push_back(std::move(map));
    }
    return maps;
  }
};

// Pictures were squashed to squares of this side before their features were made.
int side_of(const char* features, int patch) {
  return std::stoi(homolog::read_safetensors(features).metadata.at("rows")) * patch;
}

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: %s SOURCE FEATURES TARGET FEATURES x y\n", argv[0]);
    return 2;
  }
  try {
    homolog::Pipeline<FeatureFiles, homolog::WindowSoftArgmax> pipeline;
    pipeline.backbone.file_of = {{argv[1], argv[2]}, {argv[3], argv[4]}};
    pipeline.setting.image_size = side_of(argv[2], pipeline.backbone.patch);
    const auto source = pipeline.features(argv[1], homolog::read_image_size(argv[1]));
    const auto target = pipeline.features(argv[3], homolog::read_image_size(argv[3]));
    const auto result = pipeline.match(source, target, {{std::atof(argv[5]), std::atof(argv[6])}});
    std::printf("%.2f %.2f  cosine %.4f\n", result.points[0].x, result.points[0].y,
                static_cast<double>(result.scores[0]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
