// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A Backbone chosen at run time, without LibTorch in the interface: code that uses it compiles
/// once and in seconds, whatever backbone stands behind it.

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/backbone_concept.hpp"

namespace homolog::inline v0_1 {

/// Type-erased Backbone policy; copies share the backbone.
struct AnyBackbone {
  AnyBackbone() = default;

  /// Wraps any Backbone policy.
  template <Backbone B>
  requires(!std::same_as<B, AnyBackbone>) explicit AnyBackbone(B backbone)
      : held_(std::make_shared<Model<B>>(std::move(backbone))) {}

  /// Side of a patch [px].
  ///
  /// @throws SettingError, as every member, when no backbone is held
  int patch_size() const { return held().patch_size(); }
  /// Statistics the input is normalised with; ImageNet's where the backbone names none.
  Normalization normalization() const { return held().normalization(); }
  /// Input side [px] to use when the user gives none.
  int default_image_size() const { return held().default_image_size(); }
  /// The least memory [bytes] that a call with `pictures` inputs takes; 0 when it is not known.
  std::uint64_t forward_bytes(Size input, int pictures) const {
    return held().forward_bytes(input, pictures);
  }
  /// Features of normalised inputs: one [height/patch, width/patch] map a picture.
  std::vector<FeatureMap> operator()(const InputBatch& batch) const { return held().run(batch); }
  /// True when the backbone reads bytes and prefers them to floats.
  bool takes_bytes() const { return held().takes_bytes(); }
  /// Features of 8-bit pictures, which the backbone normalises; equal to those of normalised
  /// inputs.
  ///
  /// @throws SettingError when the backbone held reads no bytes
  std::vector<FeatureMap> operator()(const ByteBatch& batch) const { return held().run(batch); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual int patch_size() const = 0;
    virtual Normalization normalization() const = 0;
    virtual int default_image_size() const = 0;
    virtual bool takes_bytes() const = 0;
    virtual std::uint64_t forward_bytes(Size input, int pictures) const = 0;
    virtual std::vector<FeatureMap> run(const InputBatch& batch) const = 0;
    virtual std::vector<FeatureMap> run(const ByteBatch& batch) const = 0;
  };
  template <class B>
  struct Model final : Interface {
    explicit Model(B backbone_) : backbone(std::move(backbone_)) {}
    int patch_size() const override { return backbone.patch_size(); }
    Normalization normalization() const override { return normalization_of(backbone); }
    int default_image_size() const override { return default_image_size_of(backbone); }
    std::vector<FeatureMap> run(const InputBatch& batch) const override {
      detail::require_batch(batch);
      return backbone(batch);
    }
    std::uint64_t forward_bytes(Size input, int pictures) const override {
      return forward_bytes_of(backbone, input, pictures);
    }
    bool takes_bytes() const override {
      if constexpr (ByteBackbone<B>) return backbone.takes_bytes();
      return false;
    }
    std::vector<FeatureMap> run(const ByteBatch& batch) const override {
      detail::require_batch(batch);
      if constexpr (ByteBackbone<B>) return backbone(batch);
      static_cast<void>(batch);
      throw SettingError("AnyBackbone: its backbone does not take pictures as bytes");
    }
    B backbone;
  };

  const Interface& held() const {
    if (held_ == nullptr) throw SettingError("AnyBackbone: it holds no backbone");
    return *held_;
  }
  std::shared_ptr<const Interface> held_;
};

}  // namespace homolog::inline v0_1
