// SPDX-License-Identifier: Apache-2.0
#pragma once

// Deterministic weights and inputs, and the comparison with vectors computed by the original
// projects' own code.

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "homolog/backbones/families/expected_tensors.hpp"
#include "homolog/backbones/families/stock.hpp"
#include "homolog/weights/audit.hpp"
#include "homolog/weights/torch_tensors.hpp"
#include "support/torch_doctest.hpp"

namespace homolog::test {

/// The tiny models of the gold vectors: D 32, 2 blocks, 2 heads. DINOv2 has 5x5 positions.
inline Recognized tiny_dinov2(int registers, bool swiglu) {
  return {"dinov2", "", KeyStyle::original, 32, 2, 2, 14, registers, swiglu, swiglu ? 88 : 128, 26};
}

/// DINOv3 with 4 registers.
inline Recognized tiny_dinov3(bool swiglu) {
  return {"dinov3", "", KeyStyle::original, 32, 2, 2, 16, 4, swiglu, 128, 0};
}

/// SAM with a block in windows of 3 cells, a global one, a 5x5 grid.
inline Recognized tiny_sam() {
  Recognized sizes{"sam", "", KeyStyle::original, 32, 2, 2, 16, 0, false, 128, 5};
  sizes.window = 3;
  sizes.neck_channels = 16;
  sizes.global_blocks = {1};
  return sizes;
}

inline std::uint32_t fnv1a32(const std::string& text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

/// v[i] = 0.1 sin(phase + 0.7 i), plus 1 for LayerScale and norm weights; a bias mask is 1 for
/// queries and values and 0 for keys.
inline torch::Tensor gold_tensor(const std::string& key, const std::vector<std::int64_t>& shape) {
  const double phase = 2 * std::numbers::pi * (fnv1a32(key) % 1000) / 1000.0;
  torch::Tensor tensor = torch::empty(shape, torch::kFloat32);
  auto* values = tensor.mutable_data_ptr<float>();
  const bool around_one =
      shape.size() == 1 &&
      (key.ends_with(".gamma") || key == "neck.1.weight" || key == "neck.3.weight" ||
       (key.ends_with(".weight") && key.find("norm") != std::string::npos));
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = static_cast<float>(0.1 * std::sin(phase + 0.7 * static_cast<double>(i)) +
                                   (around_one ? 1.0 : 0.0));
  }
  return tensor;
}

inline TensorFile gold_file(const std::vector<ExpectedTensor>& expected) {
  TensorFile file;
  file.name = "gold weights";
  for (const auto& tensor : expected) {
    if (tensor.key.starts_with("local_cls_norm")) continue;
    torch::Tensor values = gold_tensor(tensor.key, tensor.shape);
    if (tensor.key.ends_with("bias_mask")) {
      const auto dim = tensor.shape[0] / 3;
      values = at::cat({torch::ones(dim), torch::zeros(dim), torch::ones(dim)});
    }
    if (tensor.key == "rope_embed.periods") {
      values =
          torch::pow(100.0, torch::arange(tensor.shape[0]) / static_cast<double>(tensor.shape[0]));
    }
    add_tensor(file, tensor.key, values);
  }
  return file;
}

/// x[c,y,x] = sin(0.9c + 0.11y + 0.07x + 0.003xy), [1,3,height,width].
inline torch::Tensor gold_image(int height, int width) {
  torch::Tensor image = torch::empty({1, 3, height, width}, torch::kFloat32);
  auto* value = image.mutable_data_ptr<float>();
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        *value++ = static_cast<float>(std::sin(0.9 * c + 0.11 * y + 0.07 * x + 0.003 * x * y));
      }
    }
  }
  return image;
}

/// First values, last values and the sum of magnitudes of a flattened tensor.
struct Gold {
  std::vector<double> first;
  std::vector<double> last;
  double sum = 0;
};

inline void check_gold(const torch::Tensor& tensor, const Gold& gold, double tolerance = 2e-5) {
  const torch::Tensor flat = tensor.detach().to(torch::kCPU, torch::kDouble).flatten().contiguous();
  const auto* values = flat.const_data_ptr<double>();
  for (std::size_t i = 0; i < gold.first.size(); ++i) {
    CHECK(std::abs(values[i] - gold.first[i]) <= tolerance);
  }
  for (std::size_t i = 0; i < gold.last.size(); ++i) {
    const auto index = flat.numel() - static_cast<std::int64_t>(gold.last.size() - i);
    CHECK(std::abs(values[index] - gold.last[i]) <= tolerance);
  }
  CHECK(std::abs(flat.abs().sum().item<double>() - gold.sum) <= 2e-3);
}

}  // namespace homolog::test
