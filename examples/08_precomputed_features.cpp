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

struct FeatureFiles {  // a backbone that has done its work already
  int patch = 14;      // [px]
  int patch_size() const { return patch; }
  std::vector<homolog::FeatureMap> operator()(const homolog::InputBatch&) const {
    throw homolog::SettingError("features come from files, read them with read_features()");
  }
};
using Pipeline = homolog::Pipeline<FeatureFiles, homolog::WindowSoftArgmax>;

homolog::ImageFeatures read_features(Pipeline& pipeline, const homolog::Image& picture,
                                     const char* path) {
  const homolog::TensorFile file = homolog::read_safetensors(path);
  const homolog::TensorView& tokens = file.tensors.at("patch_tokens");
  if (tokens.dtype != homolog::DType::f32 || tokens.shape.size() != 3 || tokens.shape[0] != 1) {
    throw homolog::ShapeError(std::string(path) + ": expected patch_tokens [1,N,D] float32");
  }
  homolog::FeatureMap map(std::stoi(file.metadata.at("rows")), std::stoi(file.metadata.at("cols")),
                          static_cast<int>(tokens.shape[2]));
  if (tokens.bytes.size() != map.bytes()) throw homolog::ShapeError("N is not rows * cols");
  std::memcpy(map.values.data(), tokens.bytes.data(), map.bytes());
  homolog::normalize_rows(map.values);
  pipeline.setting.image_size =
      map.rows * pipeline.backbone.patch;  // pictures were squashed to this
  return {std::move(map), pipeline.transform(picture.size())};
}

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: %s SOURCE FEATURES TARGET FEATURES x y\n", argv[0]);
    return 2;
  }
  try {
    Pipeline pipeline;
    const auto source = read_features(pipeline, homolog::load_image(argv[1]), argv[2]);
    const auto target = read_features(pipeline, homolog::load_image(argv[3]), argv[4]);
    const auto result = pipeline.match(source, target, {{std::atof(argv[5]), std::atof(argv[6])}});
    std::printf("%.2f %.2f  cosine %.4f\n", result.points[0].x, result.points[0].y,
                static_cast<double>(result.scores[0]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
