// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A Transformer as a Backbone policy: which block's output is the feature, in which dtype and on
/// which device.

#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/torch_boundary.hpp"
#include "homolog/backbones/transformer.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/input.hpp"

namespace homolog::inline v0_1 {

/// Which vectors of a block are the features.
enum class Facet {
  token,  ///< the block's output
  key     ///< the block's attention keys, all heads concatenated
};
/// Their names, see value_name().
constexpr std::array<std::string_view, 2> value_names(Facet) { return {"token", "key"}; }

/// Features as the maps that matchers read, in float32 on the host.
///
/// @return one map [rows, cols] of D floats a picture, of the features' scale
/// @throws DeviceError when LibTorch fails, or failed before on a device
/// @note synchronises the features' device
inline std::vector<FeatureMap> feature_maps(const Features& features) {
  const torch::Tensor patches = at_torch_boundary("backbone features", [&] {
    return features.patch_tokens.to(at::kCPU, at::kFloat).contiguous();
  });
  std::vector<FeatureMap> maps;
  for (std::int64_t i = 0; i < patches.size(0); ++i) {
    FeatureMap map(features.rows, features.cols, static_cast<int>(patches.size(2)));
    std::memcpy(map.values.data(), patches[i].const_data_ptr<float>(), map.bytes());
    maps.push_back(std::move(map));
  }
  return maps;
}

/// A transformer as a Backbone policy; transformer_of.hpp adds how a family's is loaded.
struct TransformerBackbone {
  /// What a user may change.
  struct Setting {
    int layer = -1;          ///< 0-based block whose output is used; -1 is the last
    bool final_norm = true;  ///< apply the model's last LayerNorm to that output (token facet); in
                             ///< SAM its neck, which only follows the last block
    Facet facet = Facet::token;  ///< which of that block's vectors are the features
  };

  Setting setting;    ///< read at every call
  Transformer model;  ///< weights and sizes; copies of a backbone share the tensors
  /// How the position table is resized to the input's grid; unused with rotary positions.
  PositionInterpolation position_interpolation = PositionInterpolation::hub;
  /// Mean and standard deviation of each channel, as the weights were trained with.
  Normalization input_normalization = imagenet_normalization;
  /// [px] input side where the user names none; 0: the largest multiple of the patch size up to
  /// 518.
  int image_size = 0;

  /// Side of a patch [px]; 0 before weights are loaded.
  int patch_size() const { return model.patch_size; }
  /// Statistics the input is to be normalised with.
  Normalization normalization() const { return input_normalization; }

  /// Input side [px] to take where the user names none.
  int default_image_size() const {
    return image_size > 0 ? image_size : detail::usual_image_size(patch_size());
  }
  /// Takes a family's statistics, position rule and input side.
  void feed_as(const BackboneDefaults& defaults) {
    input_normalization = defaults.normalization;
    position_interpolation = defaults.positions;
    image_size = defaults.image_size;
  }

  /// Index of the block that `setting.layer` names.
  ///
  /// @throws SettingError when the model has no such block
  int layer() const {
    const int depth = static_cast<int>(model.blocks.size());
    if (depth == 0) throw SettingError("backbone: no weights are loaded");
    const int index = setting.layer == -1 ? depth - 1 : setting.layer;
    if (index < 0 || index >= depth) {
      throw SettingError(detail::text("layer ", setting.layer,
                                      " does not exist; this backbone has ", "blocks 0 to ",
                                      depth - 1));
    }
    return index;
  }

  /// Keeps the first `count` blocks only, so that the last kept block is followed by the final
  /// norm.
  ///
  /// @throws SettingError when the model has fewer blocks
  void keep_blocks(int count) {
    if (count < 1 || static_cast<std::size_t>(count) > model.blocks.size()) {
      throw SettingError(
          detail::text("blocks ", count, ": this backbone has ", model.blocks.size()));
    }
    model.blocks.resize(static_cast<std::size_t>(count));
  }

  /// Moves the weights to a device, and to a dtype where one is given.
  ///
  /// @throws DeviceError when the device is absent or out of memory
  void to(torch::Device device, std::optional<torch::Dtype> dtype = std::nullopt) {
    at_torch_boundary(detail::text("moving weights to ", device.str()), [&] {
      for_each_weight(model, [&](const std::string&, torch::Tensor& tensor) {
        tensor = tensor.to(device, dtype.value_or(tensor.scalar_type()));
      });
      if (model.rope_periods.defined()) model.rope_periods = model.rope_periods.to(device);
    });
  }

  /// Features of a normalised input; blocks after the chosen layer are not run.
  ///
  /// @param input [B,3,H,W] float32, any device; H and W multiples of the patch size, or at least
  ///   the patch size where the model crops its input
  /// @return dtype and device of the weights; differentiable where gradients are enabled
  /// @throws ShapeError when the input's shape does not fit, DeviceError when LibTorch fails
  Features features(const torch::Tensor& input) const {
    const int last = layer();
    return features_from(last, tokens_before(last, input), input.size(2), input.size(3));
  }

  /// Features of normalised inputs in host memory, as those of a tensor above.
  ///
  /// @throws ShapeError when the batch's values do not fit its size; what features() throws
  Features features(const InputBatch& batch) const {
    detail::require_batch(batch);
    const torch::Tensor input =
        torch::from_blob(const_cast<float*>(batch.values.data()),
                         {batch.batch, 3, batch.size.height, batch.size.width}, torch::kFloat32);
    // A backward pass reads it when the batch may be gone.
    return features(at::GradMode::is_enabled() ? input.clone() : input);
  }

  /// The same from bytes: they travel to the weights' device through pinned memory and are
  /// normalised there, by the float32 operations of prepare_input().
  Features features(const ByteBatch& batch) const { return features(normalized(batch)); }

  /// The tokens that enter block `block`: the first half of features(), for callers that keep them
  /// because the blocks before it do not change.
  ///
  /// @param block 0 to layer()
  /// @param input as in features()
  /// @return [B,T,D] class token and registers before the patches
  /// @throws SettingError for a block behind the chosen layer; what features() throws
  torch::Tensor tokens_before(int block, const torch::Tensor& input) const {
    require_block(block);
    require_input(input);
    return at_torch_boundary("backbone forward", [&] {
      const TokenGrid grid = make_token_grid(model, input.size(2), input.size(3));
      torch::Tensor tokens =
          embed(model, input.to(model.patch_weight.device(), model.patch_weight.scalar_type()),
                position_interpolation);
      for (int i = 0; i < block; ++i) {
        tokens = apply_block(model, model.blocks[static_cast<std::size_t>(i)], tokens, grid);
      }
      return tokens;
    });
  }

  /// Features from the tokens that enter block `block`: the second half of features().
  ///
  /// @param tokens [B,T,D] as tokens_before() gives them, brought to that block's dtype
  /// @param height [px] @param width [px] of the input
  Features features_from(int block, torch::Tensor tokens, std::int64_t height,
                         std::int64_t width) const {
    require_block(block);
    return at_torch_boundary("backbone forward", [&] {
      const int last = layer();
      const TokenGrid grid = make_token_grid(model, height, width);
      tokens = tokens.to(model.blocks[static_cast<std::size_t>(block)].norm1_weight.scalar_type());
      for (int i = block; i < last; ++i) {
        tokens = apply_block(model, model.blocks[static_cast<std::size_t>(i)], tokens, grid);
      }
      const TransformerBlock& block_of_layer = model.blocks[static_cast<std::size_t>(last)];
      if (setting.facet == Facet::key) {
        const auto normed = detail::layer_norm(model, tokens, block_of_layer.norm1_weight,
                                               block_of_layer.norm1_bias);
        const auto dim = model.embed_dim;
        const auto bias = block_of_layer.qkv_bias.defined()
                              ? block_of_layer.qkv_bias.slice(0, dim, 2 * dim)
                              : torch::Tensor();
        return split_tokens(
            model, at::linear(normed, block_of_layer.qkv_weight.slice(0, dim, 2 * dim), bias),
            grid);
      }
      tokens = apply_block(model, block_of_layer, std::move(tokens), grid);
      if (setting.final_norm && model.norm_weight.defined()) {
        tokens = detail::layer_norm(model, tokens, model.norm_weight, model.norm_bias);
      }
      if (applies_neck()) tokens = apply_neck(model, tokens, grid);
      return split_tokens(model, tokens, grid);
    });
  }

  /// True when features() ends with SAM's neck.
  bool applies_neck() const {
    return setting.final_norm && model.neck.conv1_weight.defined() &&
           static_cast<std::size_t>(layer()) + 1 == model.blocks.size();
  }

  /// Features of a batch as one float32 FeatureMap a picture, without gradients.
  ///
  /// @throws what features() throws
  /// @note synchronises the device of CUDA weights
  std::vector<FeatureMap> operator()(const InputBatch& batch) const {
    const c10::InferenceMode inference;
    return feature_maps(features(batch));
  }

  /// The same from bytes.
  ///
  /// @throws what features() throws
  /// @note synchronises the device of CUDA weights
  std::vector<FeatureMap> operator()(const ByteBatch& batch) const {
    const c10::InferenceMode inference;
    return feature_maps(features(batch));
  }

  /// True when the weights are on a device other than the CPU, to which bytes are cheaper to copy.
  bool takes_bytes() const {
    return model.patch_weight.defined() && !model.patch_weight.device().is_cpu();
  }

  /// Memory [bytes] that the input and one block take at least on the CPU: activations of all
  /// tokens, since attention's scores are made in small tiles. 0 when the weights are on a device,
  /// whose own allocator reports when its memory runs out.
  std::uint64_t forward_bytes(Size input, int pictures) const {
    if (model.blocks.empty() || !model.patch_weight.device().is_cpu()) return 0;
    const auto patch = static_cast<std::uint64_t>(model.patch_size);
    const auto width = static_cast<std::uint64_t>((std::max)(input.width, 0));
    const auto height = static_cast<std::uint64_t>((std::max)(input.height, 0));
    const std::uint64_t tokens = (width / patch) * (height / patch);
    const auto dim = static_cast<std::uint64_t>(model.embed_dim);
    const TransformerBlock& block = model.blocks.front();
    const auto hidden = static_cast<std::uint64_t>(block.mlp_in_weight.size(0)) *
                        (block.mlp_gate_weight.defined() ? 2 : 1);
    // Tokens, their norm, queries, keys and values, their mixture and projection; or the MLP's.
    const std::uint64_t floats = (std::max)(7 * dim, 3 * dim + hidden);
    const auto size = static_cast<std::uint64_t>(model.patch_weight.element_size());
    const std::uint64_t of_token = floats * size + dim * sizeof(float);
    return static_cast<std::uint64_t>((std::max)(pictures, 0)) *
           (3 * width * height * sizeof(float) + tokens * of_token);
  }

  /// Normalised inputs on the weights' device: float32 [B,3,H,W], 0 outside the content.
  ///
  /// @throws SettingError when no weights are loaded, ShapeError when the batch's values do not fit
  /// its size, DeviceError when LibTorch fails
  torch::Tensor normalized(const ByteBatch& batch) const {
    layer();
    detail::require_batch(batch);
    return at_torch_boundary("backbone input", [&] {
      const torch::Device device = model.patch_weight.device();
      torch::Tensor bytes =
          torch::from_blob(const_cast<std::uint8_t*>(batch.values.data()),
                           {batch.batch, batch.size.height, batch.size.width, 3}, torch::kUInt8);
      if (!device.is_cpu()) bytes = bytes.pin_memory().to(device, /*non_blocking=*/true);
      const auto statistics = [&](const std::array<float, 3>& values) {
        return torch::tensor(at::ArrayRef<float>(values.data(), values.size()), torch::kFloat32)
            .to(device)
            .reshape({1, 3, 1, 1});
      };
      torch::Tensor input = bytes.permute({0, 3, 1, 2})
                                .to(torch::kFloat32, /*non_blocking=*/false, /*copy=*/true,
                                    at::MemoryFormat::Contiguous)
                                .div_(255)
                                .sub_(statistics(input_normalization.mean))
                                .div_(statistics(input_normalization.standard_deviation));
      for (std::size_t i = 0; i < batch.content.size(); ++i) {
        const auto& [x, y, size] = batch.content[i];
        if (size == batch.size) continue;
        const torch::Tensor picture = input[static_cast<std::int64_t>(i)];
        const torch::Tensor inside =
            picture.slice(1, y, y + size.height).slice(2, x, x + size.width).clone();
        picture.zero_();
        picture.slice(1, y, y + size.height).slice(2, x, x + size.width).copy_(inside);
      }
      return input;
    });
  }

 private:
  void require_block(int block) const {
    if (block < 0 || block > layer()) {
      throw SettingError(
          detail::text("block ", block, ": expected one of 0 to the chosen layer ", layer()));
    }
  }
  void require_input(const torch::Tensor& input) const {
    const int patch = model.patch_size;
    const auto fits = [&](std::int64_t side) {
      return side >= patch && (model.crops_input || side % patch == 0);
    };
    if (input.dim() == 4 && input.size(0) >= 1 && input.size(1) == 3 && fits(input.size(2)) &&
        fits(input.size(3))) {
      return;
    }
    throw ShapeError(detail::text("backbone input: expected [B, 3, H, W] with H and W ",
                                  model.crops_input ? "at least " : "multiples of ", patch,
                                  ", got ", shape_text(input.sizes())));
  }
};

}  // namespace homolog::inline v0_1
