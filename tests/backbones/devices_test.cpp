// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "backbones/gold.hpp"
#include "drawn_set/generate.hpp"
#include "homolog/backbones/dinov2.hpp"
#include "homolog/backbones/dinov3.hpp"
#include "homolog/backbones/sam.hpp"
#include "homolog/datasets/spair.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"
#include "homolog/pipeline/evaluate.hpp"
#include "support/skip.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

struct Case {
  const char* name;
  std::function<TransformerBackbone(torch::Dtype)> load;  // the tiny model of the gold vectors
  torch::Tensor image;
};

template <class Policy>
TransformerBackbone loaded(const TensorFile& weights, torch::Dtype dtype) {
  Policy backbone;
  backbone.load(weights, "", dtype);
  backbone.model.heads = 2;
  return backbone;
}

std::vector<Case> cases() {
  std::vector<Case> list;
  for (const auto& [name, registers, swiglu] : {std::tuple{"DINOv2", 0, false},
                                                {"DINOv2 with registers", 4, false},
                                                {"DINOv2 with SwiGLU", 0, true}}) {
    const auto weights = gold_file(expected_tensors<DinoV2Family>(tiny_dinov2(registers, swiglu)));
    list.push_back({name, [weights](auto dtype) { return loaded<DinoV2>(weights, dtype); },
                    gold_image(56, 84)});
  }
  for (const auto& [name, swiglu] : {std::pair{"DINOv3", false}, {"DINOv3 with SwiGLU", true}}) {
    const auto weights = gold_file(expected_tensors<DinoV3Family>(tiny_dinov3(swiglu)));
    list.push_back({name, [weights](auto dtype) { return loaded<DinoV3>(weights, dtype); },
                    gold_image(48, 80)});
  }
  const auto weights = gold_file(expected_tensors<SamFamily>(tiny_sam()));
  for (const bool neck : {false, true}) {
    const auto load = [weights, neck](torch::Dtype dtype) {
      auto backbone = loaded<Sam>(weights, dtype);
      backbone.setting.final_norm = neck;
      // Its own last norm magnifies errors a thousandfold: see the gold vectors.
      auto& scale = backbone.model.neck.norm2_weight;
      if (neck) scale = torch::full_like(scale, 1.0 / 1024);
      return backbone;
    };
    list.push_back({neck ? "SAM" : "SAM without neck", load, gold_image(80, 112)});
  }
  return list;
}

double smallest_cosine(const torch::Tensor& a, const torch::Tensor& b) {
  return at::cosine_similarity(a.to(torch::kCPU, torch::kFloat64),
                               b.to(torch::kCPU, torch::kFloat64), -1)
      .min()
      .item<double>();
}

// The case on one device, in every dtype, against float32 on the CPU.
void check_device(torch::Device device) {
  const at::NoGradGuard no_gradients;
  for (const Case& test : cases()) {
    INFO(std::string(test.name));
    const auto expected = test.load(torch::kFloat32).features(test.image).patch_tokens;
    for (const auto dtype : {torch::kFloat64, torch::kFloat32, torch::kBFloat16, torch::kFloat16}) {
      TransformerBackbone at_once = test.load(dtype), later = test.load(torch::kFloat32);
      at_once.to(device, dtype);
      later.to(device, dtype);
      const auto got = at_once.features(test.image).patch_tokens;
      CHECK((got.scalar_type() == dtype));
      CHECK((got.device().type() == device.type()));
      // Loaded in a dtype or brought to it: the same weights, but for masked biases in DINOv3.
      CHECK(at::equal(got, later.features(test.image).patch_tokens));
      const bool narrow = dtype == torch::kBFloat16 || dtype == torch::kFloat16;
      if (narrow) {
        CHECK(smallest_cosine(got, expected) > (dtype == torch::kFloat16 ? 0.9999 : 0.99));
      } else {
        const double error =
            (got.to(torch::kCPU, torch::kFloat64) - expected).abs().max().item<double>();
        CHECK(error < 2e-5);
      }
    }
  }
}

}  // namespace

TEST_CASE("every backbone in every dtype on the CPU") { check_device(torch::kCPU); }

TEST_CASE("every backbone in every dtype on a CUDA device") {
  if (!torch::cuda::is_available()) return skip("no CUDA device here");
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  check_device(torch::kCUDA);
}

TEST_CASE("an evaluation on a CUDA device finds the points that the CPU finds") {
  if (!torch::cuda::is_available()) return skip("no CUDA device here");
  const char* weights = std::getenv("HOMOLOG_VITS14_WEIGHTS");
  if (weights == nullptr) return skip("no ViT-S/14 weights: set HOMOLOG_VITS14_WEIGHTS");
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  const TemporaryFolder folder;
  drawn_set::generate(folder.path / "drawn", {7, 2, 2, 6, 3});
  const Dataset dataset = load_spair(folder.path / "drawn", "test");
  Pipeline<DinoV2, WindowSoftArgmax> pipeline;
  // Letterboxed pictures are padded on the device, squashed ones fill the input.
  for (const Resize resize : {Resize::squash, Resize::letterbox}) {
    pipeline.setting.resize = resize;
    pipeline.setting.image_size = 224;
    pipeline.backbone.load(weights, "", torch::kFloat32);
    const Evaluation cpu = evaluate(pipeline, dataset);
    for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
      pipeline.backbone.to(torch::kCUDA, dtype);
      const Evaluation cuda = evaluate(pipeline, dataset);
      REQUIRE(cuda.pairs.size() == cpu.pairs.size());
      std::size_t points = 0, equal = 0;
      for (std::size_t i = 0; i < cpu.pairs.size(); ++i) {
        for (std::size_t n = 0; n < cpu.pairs[i].predicted.size(); ++n, ++points) {
          const auto a = cpu.pairs[i].predicted[n], b = cuda.pairs[i].predicted[n];
          if (std::hypot(a.x - b.x, a.y - b.y) < (dtype == torch::kFloat32 ? 0.05 : 2)) ++equal;
        }
      }
      const double share = static_cast<double>(equal) / static_cast<double>(points);
      const double pck = cuda.total.per_point[1], pck_cpu = cpu.total.per_point[1];
      std::printf("%s: %zu points, %.2f %% where the CPU has them, PCK@0.1 %.2f (CPU %.2f)\n",
                  dtype == torch::kFloat32 ? "float32" : "bfloat16", points, 100 * share, 100 * pck,
                  100 * pck_cpu);
      CHECK(share > (dtype == torch::kFloat32 ? 0.995 : 0.9));
      CHECK(std::abs(pck - pck_cpu) < (dtype == torch::kFloat32 ? 0.003 : 0.02));
    }
  }
}
