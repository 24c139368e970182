// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The strict comparison of a file's tensors with what a backbone needs: every missing, unexpected
/// and unfitting tensor is an error, and so is a value that is no number.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/weights/detail/dinov3_keys.hpp"
#include "homolog/weights/published_sizes.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

/// Any length but 0 is right along an axis of this size in ExpectedTensor::shape.
inline constexpr std::int64_t any_size = -1;

/// A tensor that a backbone takes from its file, in float32, float16, bfloat16 or float64.
struct ExpectedTensor {
  std::string key;                  ///< original name, without prefixes
  std::vector<std::int64_t> shape;  ///< `any_size` where a size is free
  bool optional = false;            ///< may be absent; when present its shape counts
};

/// Keys beginning so belong to heads that no backbone uses; audit() lets them pass by default.
inline constexpr std::array<std::string_view, 3> ignored_key_prefixes{"classifier.", "dino_head.",
                                                                      "ibot_head."};
/// The rest of a SAM beside its image encoder, in the original's and in Hugging Face's files.
inline constexpr std::array<std::string_view, 5> sam_ignored_key_prefixes{
    "prompt_encoder.", "mask_decoder.", "shared_image_embedding.", "pixel_mean", "pixel_std"};

namespace detail {

inline bool shape_fits(const std::vector<std::int64_t>& got,
                       const std::vector<std::int64_t>& expected) {
  return std::equal(got.begin(), got.end(), expected.begin(), expected.end(),
                    [](std::int64_t a, std::int64_t b) { return b == any_size ? a > 0 : a == b; });
}

/// One kind of finding: the first ten by name, and how many there are.
struct AuditFindings {
  std::string_view kind;
  std::size_t count = 0;
  std::string list = {};

  void add(const std::string& entry) {
    if (++count <= 10) list += (count == 1 ? "" : ", ") + entry;
  }
  std::string summary() const {
    if (count == 0) return {};
    return text("; ", count, ' ', kind, ": ", list, count > 10 ? ", ..." : "");
  }
};

/// Tensors of the blocks of a pre-norm vision transformer, in DINOv2's order.
inline void expect_blocks(std::vector<ExpectedTensor>& list, const Recognized& sizes) {
  const std::int64_t dim = sizes.embed_dim, hidden = sizes.ffn_hidden;
  const bool dinov3 = sizes.family == "dinov3", sam = sizes.family == "sam";
  const bool layer_scale = sizes.family == "dinov2" || dinov3;
  for (int i = 0; i < sizes.depth; ++i) {
    const std::string block = "blocks." + std::to_string(i) + ".";
    const auto linear = [&](const char* name, std::int64_t out, std::int64_t in, bool bias = true) {
      list.push_back({block + name + ".weight", {out, in}});
      if (bias) list.push_back({block + name + ".bias", {out}});
    };
    const auto vector = [&](const char* name) { list.push_back({block + name, {dim}}); };
    vector("norm1.weight");
    vector("norm1.bias");
    linear("attn.qkv", 3 * dim, dim, sizes.qkv_bias);
    if (dinov3 && sizes.qkv_bias) {
      list.push_back({block + "attn.qkv.bias_mask", {3 * dim}, /*optional=*/true});
    }
    if (sam) {
      const bool global = std::find(sizes.global_blocks.begin(), sizes.global_blocks.end(), i) !=
                          sizes.global_blocks.end();
      const std::int64_t rows = 2 * (global ? sizes.position_rows : sizes.window) - 1;
      for (const char* name : {"attn.rel_pos_h", "attn.rel_pos_w"}) {
        list.push_back({block + name, {rows, dim / sizes.heads}});
      }
    }
    linear("attn.proj", dim, dim);
    if (layer_scale) vector("ls1.gamma");
    vector("norm2.weight");
    vector("norm2.bias");
    if (sam) {
      linear("mlp.lin1", hidden, dim);
      linear("mlp.lin2", dim, hidden);
    } else if (!sizes.swiglu) {
      linear("mlp.fc1", hidden, dim);
      linear("mlp.fc2", dim, hidden);
    } else if (dinov3) {
      linear("mlp.w1", hidden, dim);
      linear("mlp.w2", hidden, dim);
      linear("mlp.w3", dim, hidden);
    } else {
      linear("mlp.w12", 2 * hidden, dim);
      linear("mlp.w3", dim, hidden);
    }
    if (layer_scale) vector("ls2.gamma");
  }
}

/// Tensors of a vision transformer with class token and learned positions.
inline std::vector<ExpectedTensor> expected_transformer(const Recognized& sizes) {
  const std::int64_t dim = sizes.embed_dim, patch = sizes.patch_size;
  std::vector<ExpectedTensor> list{
      {"cls_token", {1, 1, dim}},
      {"pos_embed", {1, sizes.position_rows > 0 ? sizes.position_rows : any_size, dim}}};
  if (sizes.registers > 0) list.push_back({"register_tokens", {1, sizes.registers, dim}});
  list.push_back({"patch_embed.proj.weight", {dim, 3, patch, patch}});
  list.push_back({"patch_embed.proj.bias", {dim}});
  expect_blocks(list, sizes);
  list.push_back({"norm.weight", {dim}});
  list.push_back({"norm.bias", {dim}});
  return list;
}

/// Whether a number of this format is NaN or infinite: all exponent bits are set.
template <class Bits>
bool all_finite(std::span<const std::byte> bytes, Bits exponent) {
  // In slices, so that a bad value ends the scan early while each slice is vectorised.
  constexpr std::size_t slice = std::size_t{1} << 16;
  for (std::size_t start = 0; start < bytes.size(); start += slice) {
    const auto part = bytes.subspan(start, (std::min)(slice, bytes.size() - start));
    bool bad = false;
    for (std::size_t i = 0; i + sizeof(Bits) <= part.size(); i += sizeof(Bits)) {
      Bits value;
      std::memcpy(&value, part.data() + i, sizeof(Bits));
      bad |= static_cast<Bits>(value & exponent) == exponent;
    }
    if (bad) return false;
  }
  return true;
}

}  // namespace detail

/// Tensors of a DINOv2 of the given sizes under original key names; only `mask_token`, which takes
/// no part in features, is optional.
inline std::vector<ExpectedTensor> expected_dinov2(const Recognized& sizes) {
  auto list = detail::expected_transformer(sizes);
  list.push_back({"mask_token", {1, sizes.embed_dim}, /*optional=*/true});
  return list;
}

/// Tensors of a DINOv3 ViT of the given sizes under original key names. `mask_token` and
/// `local_cls_norm` take no part in features; without periods and masks the defaults hold.
inline std::vector<ExpectedTensor> expected_dinov3(const Recognized& sizes) {
  const std::int64_t dim = sizes.embed_dim, patch = sizes.patch_size;
  std::vector<ExpectedTensor> list{
      {"cls_token", {1, 1, dim}},
      {"storage_tokens", {1, sizes.registers, dim}},
      {"mask_token", {1, dim}, /*optional=*/true},
      {"patch_embed.proj.weight", {dim, 3, patch, patch}},
      {"patch_embed.proj.bias", {dim}},
      {std::string(detail::rope_periods_key), {dim / sizes.heads / 4}, /*optional=*/true}};
  detail::expect_blocks(list, sizes);
  list.push_back({"norm.weight", {dim}});
  list.push_back({"norm.bias", {dim}});
  list.push_back({"local_cls_norm.weight", {dim}, /*optional=*/true});
  list.push_back({"local_cls_norm.bias", {dim}, /*optional=*/true});
  return list;
}

/// Tensors of SAM's image encoder of the given sizes. Keys are the original's, without
/// `image_encoder.` before them.
inline std::vector<ExpectedTensor> expected_sam(const Recognized& sizes) {
  const std::int64_t dim = sizes.embed_dim, patch = sizes.patch_size;
  const std::int64_t side = sizes.position_rows > 0 ? sizes.position_rows : any_size;
  const std::int64_t neck = sizes.neck_channels > 0 ? sizes.neck_channels : any_size;
  std::vector<ExpectedTensor> list{{"pos_embed", {1, side, side, dim}},
                                   {"patch_embed.proj.weight", {dim, 3, patch, patch}},
                                   {"patch_embed.proj.bias", {dim}}};
  detail::expect_blocks(list, sizes);
  list.push_back({"neck.0.weight", {neck, dim, 1, 1}});
  list.push_back({"neck.1.weight", {neck}});
  list.push_back({"neck.1.bias", {neck}});
  list.push_back({"neck.2.weight", {neck, neck, 3, 3}});
  list.push_back({"neck.3.weight", {neck}});
  list.push_back({"neck.3.bias", {neck}});
  return list;
}

/// Tensors of a plain vision transformer of the given sizes under timm's key names; a
/// classification head of any number of classes is optional.
inline std::vector<ExpectedTensor> expected_vision_transformer(const Recognized& sizes) {
  auto list = detail::expected_transformer(sizes);
  list.push_back({"head.weight", {any_size, sizes.embed_dim}, /*optional=*/true});
  list.push_back({"head.bias", {any_size}, /*optional=*/true});
  return list;
}

/// Compares a file with a list of expected tensors.
///
/// @param ignored keys beginning with one of these may be there although nothing expects them
/// @throws WeightsError that counts all missing, unexpected and unfitting tensors and names the
///         first ten of each, with the shape expected and the one got
inline void audit(const TensorFile& file, std::span<const ExpectedTensor> expected,
                  std::span<const std::string_view> ignored = ignored_key_prefixes) {
  detail::AuditFindings missing{"missing"}, unexpected{"unexpected"}, unfitting{"unfitting"};
  std::map<std::string_view, const ExpectedTensor*> known;
  for (const auto& tensor : expected) {
    known.emplace(tensor.key, &tensor);
    if (!tensor.optional && !file.tensors.contains(tensor.key)) {
      missing.add(tensor.key + " " + detail::shape_text(tensor.shape));
    }
  }
  for (const auto& [key, view] : file.tensors) {
    const auto found = known.find(key);
    if (found == known.end()) {
      const bool pass =
          std::any_of(ignored.begin(), ignored.end(),
                      [&name = key](std::string_view p) { return name.starts_with(p); });
      if (!pass) unexpected.add(key + " " + detail::shape_text(view.shape));
      continue;
    }
    const bool floating = view.dtype == DType::f32 || view.dtype == DType::f16 ||
                          view.dtype == DType::bf16 || view.dtype == DType::f64;
    if (!detail::shape_fits(view.shape, found->second->shape)) {
      unfitting.add(detail::text(key, " expected ", detail::shape_text(found->second->shape),
                                 " got ", detail::shape_text(view.shape)));
    } else if (!floating) {
      unfitting.add(detail::text(key, " expected a floating dtype got ", dtype_name(view.dtype)));
    }
  }
  if (missing.count + unexpected.count + unfitting.count > 0) {
    throw WeightsError(detail::text(file.name, ": the tensors do not fit the backbone",
                                    missing.summary(), unexpected.summary(), unfitting.summary()));
  }
}

/// Looks for NaN and infinity in every float32, float16, bfloat16, float64 and complex tensor.
///
/// @throws WeightsError that names the first tensor (by key) with such a value
inline void require_finite(const TensorFile& file) {
  for (const auto& [key, view] : file.tensors) {
    bool finite = true;
    switch (view.dtype) {
      case DType::f32:
      case DType::c64:
        finite = detail::all_finite<std::uint32_t>(view.bytes, 0x7F800000);
        break;
      case DType::f16:
        finite = detail::all_finite<std::uint16_t>(view.bytes, 0x7C00);
        break;
      case DType::bf16:
        finite = detail::all_finite<std::uint16_t>(view.bytes, 0x7F80);
        break;
      case DType::f64:
        finite = detail::all_finite<std::uint64_t>(view.bytes, 0x7FF0000000000000);
        break;
      default:
        break;
    }
    if (!finite) {
      throw WeightsError(detail::text(file.name, ": tensor '", key, "' of shape ",
                                      detail::shape_text(view.shape),
                                      " holds NaN or infinite values"));
    }
  }
}

}  // namespace homolog::inline v0_1
