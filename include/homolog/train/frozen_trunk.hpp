// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The frozen blocks' output, computed once a picture and kept in the host's memory or in a
/// memory-mapped file, so that a step only runs the tuned blocks.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/backbones/transformer_backbone.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/progress.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/core/value_names.hpp"
#include "homolog/images/decode.hpp"
#include "homolog/images/prepare.hpp"
#include "homolog/matchers/tensor/detail/precision.hpp"
#include "homolog/pipeline/evaluation_json.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/train/sha256.hpp"
#include "homolog/weights/safetensors.hpp"
#include "homolog/weights/torch_tensors.hpp"

namespace homolog::inline v0_1 {

/// A backbone's blocks before the first tuned one, and what they gave for pictures seen before.
///
/// A picture is always forwarded alone: its tokens must not depend, not even in the last bit, on
/// the other pictures of a batch, or a resumed run would differ from an uninterrupted one.
struct FrozenTrunk {
  /// @param backbone_ shares its tensors; its tuned ones are not read here
  /// @param setting_ with `image_size` set unless the resize mode needs none
  FrozenTrunk(TransformerBackbone backbone_, int first_tuned_block, PipelineSetting setting_,
              std::optional<torch::Dtype> autocast_ = std::nullopt)
      : backbone(std::move(backbone_)),
        first_block(first_tuned_block),
        setting(setting_),
        autocast(autocast_) {}

  TransformerBackbone backbone;          ///< whose blocks before `first_block` are run
  int first_block = 0;                   ///< 0-based, the first tuned one
  PipelineSetting setting;               ///< resize mode, input side and filter of a picture
  std::optional<torch::Dtype> autocast;  ///< dtype of matrix products; nothing: the weights'
  bool keep = true;                      ///< remember pictures; false computes each time
  std::size_t forwards = 0;              ///< pictures that went through the trunk so far

  /// The transform a picture of this size gets.
  FrameTransform transform(Size image) const {
    const int patch = backbone.patch_size();
    const ImageTransform to_input =
        make_image_transform(image, setting.resize, setting.image_size, patch);
    return {to_input, make_grid_transform(to_input.input, patch)};
  }

  /// Tokens of a picture that is in memory; never remembered.
  ///
  /// @return [T,D] on the backbone's device, without gradients
  torch::Tensor compute(const Image& image) {
    const at::NoGradGuard no_gradients;
    const ImageTransform to_input = transform(image.size()).image;
    torch::Tensor input = torch::empty({1, 3, to_input.input.height, to_input.input.width});
    prepare_input(image, to_input, backbone.normalization(), setting.filter,
                  input.mutable_data_ptr<float>());
    const auto device = backbone.model.patch_weight.device().type();
    const detail::AutocastScope scope(device, autocast.has_value(),
                                      autocast.value_or(torch::kBFloat16));
    ++forwards;
    return backbone.tokens_before(first_block, input)
        .squeeze(0)
        .to(backbone.model.patch_weight.scalar_type());
  }

  /// Tokens of a picture file, mirrored left to right where `flip` says so.
  ///
  /// @return [T,D] on the backbone's device, without gradients
  /// @throws ImageError, FileError
  torch::Tensor tokens(const std::filesystem::path& path, bool flip) {
    const std::pair<std::string, bool> id{path.string(), flip};
    const auto device = backbone.model.patch_weight.device();
    if (keep) {
      if (const auto found = in_memory_.find(id); found != in_memory_.end()) {
        return found->second.to(device);
      }
      if (const auto found = in_file_.find(id); found != in_file_.end()) {
        return to_torch(file_, found->second).to(device);
      }
    }
    Image image = load_image(path);
    if (flip) image = flip_horizontally(image);
    torch::Tensor computed = compute(image);
    if (keep) in_memory_[id] = computed.cpu();  // the device's memory is needed for the step
    return computed;
  }

  /// Computes all given pictures into a memory-mapped file, or takes them from one that was made
  /// before. The file's name and metadata hold what its content depends on: the trunk's weights,
  /// input size, resize mode, dtypes; pictures are known by the SHA-256 of their file.
  ///
  /// @param pictures path and flip
  /// @param progress has one stage, "trunk", in pictures
  /// @throws FileError when the file cannot be written, ImageError
  void keep_in_file(const std::filesystem::path& folder,
                    std::span<const std::pair<std::filesystem::path, bool>> pictures,
                    const ProgressCallback& progress = {}) {
    const std::string description = describe().dump();
    detail::Sha256 digest;
    digest.update(description);
    const auto path = folder / ("trunk-" + digest.hex().substr(0, 16) + ".safetensors");
    TensorFile known = known_file(path, description);

    TensorFile file;
    file.metadata["homolog.trunk"] = description;
    std::map<std::string, std::pair<std::filesystem::path, bool>> of_key;
    in_file_.clear();
    for (const auto& [picture, flip] : pictures) {
      const std::string key = picture_key(picture, flip);
      in_file_[{picture.string(), flip}] = key;
      of_key[key] = {picture, flip};
      const FrameTransform frame = transform(read_image_size(picture));
      const auto cells = std::int64_t{frame.grid.rows} * frame.grid.cols;
      file.tensors[key] = {
          storage_dtype(), {cells + prefix_tokens(), backbone.model.embed_dim}, {}};
    }
    bool complete = true;
    for (const auto& [key, view] : file.tensors) {
      const auto found = known.tensors.find(key);
      complete = complete && found != known.tensors.end() && found->second.shape == view.shape;
    }
    if (!complete) {
      // Other tensors of the old file are kept, because runs with other splits share it.
      for (const auto& [key, view] : known.tensors) file.tensors.try_emplace(key, view);
      make_folders(folder);
      std::size_t done = 0;
      torch::Tensor held;
      write_safetensors(path, file, [&](const std::string& key) -> std::span<const std::byte> {
        if (progress) progress("trunk", done, file.tensors.size());
        ++done;
        if (const auto found = known.tensors.find(key); found != known.tensors.end()) {
          return found->second.bytes;
        }
        const auto& [picture, flip] = of_key.at(key);
        Image image = load_image(picture);
        if (flip) image = flip_horizontally(image);
        held = compute(image).cpu().contiguous();
        return {static_cast<const std::byte*>(held.const_data_ptr()), held.nbytes()};
      });
      if (progress) progress("trunk", done, file.tensors.size());
    }
    file_ = read_safetensors(path);
  }

  /// What the tokens depend on besides the pictures.
  nlohmann::ordered_json describe() {
    const auto& normalization = backbone.input_normalization;
    return {{"weights", trunk_digest()},
            {"first_tuned_block", first_block},
            {"position_interpolation", value_name(backbone.position_interpolation)},
            {"mean", normalization.mean},
            {"standard_deviation", normalization.standard_deviation},
            {"resize", value_name(setting.resize)},
            {"image_size", setting.image_size},
            {"filter", value_name(setting.filter)},
            {"dtype", c10::toString(backbone.model.patch_weight.scalar_type())},
            {"autocast", autocast ? c10::toString(*autocast) : "none"}};
  }

  /// Bytes of tokens kept in the host's memory.
  std::size_t memory_bytes() const {
    std::size_t sum = 0;
    for (const auto& [id, tensor] : in_memory_) sum += tensor.is_cpu() ? tensor.nbytes() : 0;
    return sum;
  }

 private:
  std::int64_t prefix_tokens() const {
    return backbone.model.class_token.defined() ? 1 + backbone.model.registers() : 0;
  }

  DType storage_dtype() const {
    const auto scalar_type = backbone.model.patch_weight.scalar_type();
    for (const auto& [dtype, candidate] : detail::torch_dtypes) {
      if (candidate == scalar_type) return dtype;
    }
    throw DeviceError(detail::text("trunk cache: ", c10::toString(scalar_type), " is not stored"));
  }

  std::string trunk_digest() {
    detail::Sha256 digest;
    for_each_weight(backbone.model, [&](const std::string& name, torch::Tensor& weight) {
      int block = -1;
      if (name.starts_with("blocks.")) block = std::stoi(name.substr(7));
      if (block >= first_block || name.starts_with("norm.") || name.starts_with("neck.")) return;
      digest.update(name);
      digest.update(weight);
    });
    if (backbone.model.rope_periods.defined()) digest.update(backbone.model.rope_periods);
    return digest.hex();
  }

  static std::string picture_key(const std::filesystem::path& path, bool flip) {
    const std::string bytes = read_file(path, std::uintmax_t{1} << 30);
    detail::Sha256 digest;
    digest.update(std::as_bytes(std::span(bytes)));
    return digest.hex() + (flip ? ".flip" : "");
  }

  /// The file of an earlier run; nothing when there is none, or it is damaged or was made with
  /// other weights or settings.
  static TensorFile known_file(const std::filesystem::path& path, const std::string& description) {
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return {};
    try {
      TensorFile file = read_safetensors(path);
      const auto found = file.metadata.find("homolog.trunk");
      if (found != file.metadata.end() && found->second == description) return file;
    } catch (const WeightsError&) {
      // A damaged file is made again: a cache holds nothing that could be lost.
    }
    return {};
  }

  std::map<std::pair<std::string, bool>, torch::Tensor> in_memory_;
  std::map<std::pair<std::string, bool>, std::string> in_file_;  ///< to a key of file_
  TensorFile file_;
};

}  // namespace homolog::inline v0_1
