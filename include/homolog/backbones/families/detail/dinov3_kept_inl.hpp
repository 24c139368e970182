// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of backbones/families/dinov3_kept.hpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/backbones/families/dinov3_kept.hpp"
#include "homolog/backbones/families/family.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/weights/float_values.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1::detail {

inline constexpr std::string_view kept_prefix = "homolog.kept.";

/// [bytes] The most that all kept tensors of a file may take, because a line of a few characters
/// can describe a huge tensor.
inline constexpr std::uint64_t kept_limit = std::uint64_t{64} << 20;

HOMOLOG_INLINE std::vector<float> rope_periods(int head_dim) {
  std::vector<float> periods(static_cast<std::size_t>(head_dim / 4));
  for (std::size_t j = 0; j < periods.size(); ++j) {
    periods[j] = static_cast<float>(
        std::pow(100.0, static_cast<double>(j) / static_cast<double>(periods.size())));
  }
  return periods;
}

/// The mask a DINOv3 is built with: queries and values keep their bias, keys have none.
inline std::vector<float> default_bias_mask(int embed_dim) {
  const auto dim = static_cast<std::size_t>(embed_dim);
  std::vector<float> mask(3 * dim, 1.0F);
  std::fill_n(mask.begin() + static_cast<std::ptrdiff_t>(dim), dim, 0.0F);
  return mask;
}

/// Writes a tensor as one line: dtype, sizes, and its bytes in hexadecimal, or `*` and the bytes of
/// one element when all elements are equal.
inline std::string tensor_to_text(const TensorView& view) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string line(dtype_name(view.dtype));
  line += ' ';
  for (std::size_t i = 0; i < view.shape.size(); ++i) {
    if (i > 0) line += ',';
    line += std::to_string(view.shape[i]);
  }
  line += ' ';
  const std::size_t item = item_size(view.dtype);
  auto bytes = view.bytes;
  const bool uniform =
      bytes.size() > item &&
      std::equal(bytes.begin() + static_cast<std::ptrdiff_t>(item), bytes.end(), bytes.begin());
  if (uniform) {
    line += '*';
    bytes = bytes.first(item);
  }
  for (const std::byte byte : bytes) {
    line += digits[std::to_integer<std::size_t>(byte >> 4)];
    line += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return line;
}

/// The reverse of tensor_to_text(); adds the tensor to the file.
///
/// @param budget [bytes] that tensors may still take; reduced by the size of this one
/// @throws WeightsError when tensor_to_text() cannot have written the line, or the budget is
/// exceeded
inline void add_tensor_from_text(TensorFile& file, const std::string& key, std::string_view line,
                                 std::uint64_t& budget) {
  const auto refuse = [&] {
    throw WeightsError(text(file.name, ": metadata ", kept_prefix, key, " is malformed"));
  };
  const auto first = line.find(' ');
  const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) refuse();
  const auto dtype = dtype_from_name(line.substr(0, first));
  if (!dtype) refuse();
  std::vector<std::int64_t> shape;
  std::string_view sizes = line.substr(first + 1, second - first - 1);
  while (!sizes.empty()) {
    const auto comma = (std::min)(sizes.find(','), sizes.size());
    const auto number = sizes.substr(0, comma);
    if (number.empty() || number.size() > 9 || shape.size() == 8 ||
        number.find_first_not_of("0123456789") != std::string_view::npos) {
      refuse();
    }
    shape.push_back(std::stoll(std::string(number)));
    if (comma + 1 == sizes.size()) refuse();  // ends with a comma
    sizes.remove_prefix((std::min)(comma + 1, sizes.size()));
  }
  std::string_view hex = line.substr(second + 1);
  const bool uniform = hex.starts_with('*');
  if (uniform) hex.remove_prefix(1);
  const std::size_t item = item_size(*dtype);
  const auto elements = checked_elements(shape);
  const auto size = elements ? checked_product(*elements, item) : std::nullopt;
  if (!size || *size > budget || hex.size() != 2 * (uniform ? item : *size)) refuse();
  budget -= *size;
  const auto digit = [&](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c < 'a' || c > 'f') refuse();
    return c - 'a' + 10;
  };
  std::vector<std::byte> values(hex.size() / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<std::byte>(16 * digit(hex[2 * i]) + digit(hex[2 * i + 1]));
  }
  const auto bytes = add_owned_tensor(file, key, *dtype, std::move(shape));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = values[i % values.size()];
}

HOMOLOG_INLINE void reshape_mask_token(TensorFile& file, std::vector<std::int64_t> shape) {
  const auto token = file.tensors.find("mask_token");
  if (token == file.tensors.end()) return;
  const auto& old = token->second.shape;
  if (!old.empty() && checked_elements(old) == checked_elements(shape)) {
    token->second.shape = std::move(shape);
  }
}

HOMOLOG_INLINE std::vector<float> effective_qkv_bias(const TensorFile& file,
                                                     const std::string& block, int embed_dim) {
  const std::string bias_key = block + "attn.qkv.bias", mask_key = bias_key + "_mask";
  if (!file.tensors.contains(bias_key)) return {};
  std::vector<float> bias = float_values(file, bias_key);
  const std::vector<float> mask =
      file.tensors.contains(mask_key) ? float_values(file, mask_key) : default_bias_mask(embed_dim);
  if (bias.size() != 3 * static_cast<std::size_t>(embed_dim) || mask.size() != bias.size()) {
    throw WeightsError(text(file.name, ": '", bias_key, "' has ", bias.size(), " values and its ",
                            "mask ", mask.size(), ", expected ", 3 * embed_dim));
  }
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] *= mask[i];
  return bias;
}

/// Takes the kept tensors out of a file's metadata.
///
/// @throws WeightsError when one is malformed, too large, or not one that reduce_dinov3() keeps
inline TensorFile take_kept(TensorFile& file) {
  TensorFile kept;
  kept.name = file.name;
  std::uint64_t budget = kept_limit;
  for (auto entry = file.metadata.begin(); entry != file.metadata.end();) {
    if (!entry->first.starts_with(kept_prefix)) {
      ++entry;
      continue;
    }
    const std::string key = entry->first.substr(kept_prefix.size());
    const bool known = key == rope_periods_key || key == "local_cls_norm.weight" ||
                       key == "local_cls_norm.bias" || key.ends_with(".attn.qkv.bias") ||
                       key.ends_with(".attn.qkv.bias_mask");
    if (!known) {
      throw WeightsError(
          text(file.name, ": metadata ", entry->first, " names no tensor that homolog keeps"));
    }
    add_tensor_from_text(kept, key, entry->second, budget);
    entry = file.metadata.erase(entry);
  }
  return kept;
}

/// Restores a block's kept bias and mask, unless the file's bias no longer equals their product: in
/// that case the bias was edited after the renaming and is used as it is.
inline void restore_bias(TensorFile& file, const TensorFile& kept, const std::string& block,
                         int embed_dim) {
  const std::string bias_key = block + "attn.qkv.bias", mask_key = bias_key + "_mask";
  const bool kept_bias = kept.tensors.contains(bias_key);
  const bool kept_mask = kept.tensors.contains(mask_key);
  if (!file.tensors.contains(bias_key) || (!kept_bias && !kept_mask)) return;
  TensorFile pair;
  pair.name = file.name;
  pair.tensors[bias_key] = (kept_bias ? kept : file).tensors.at(bias_key);
  if (kept_mask) pair.tensors[mask_key] = kept.tensors.at(mask_key);
  std::vector<float> bias = effective_qkv_bias(pair, block, embed_dim);
  const auto dim = static_cast<std::ptrdiff_t>(embed_dim);
  std::fill(bias.begin() + dim, bias.begin() + 2 * dim, 0.0F);
  const std::vector<float> stored = float_values(file, bias_key);
  if (stored.size() != bias.size() ||
      std::memcmp(stored.data(), bias.data(), 4 * bias.size()) != 0) {
    return;
  }
  for (auto& [key, view] : pair.tensors) file.tensors[key] = view;
}

HOMOLOG_INLINE void complete_dinov3(TensorFile& file, const Recognized& recognized) {
  reshape_mask_token(file, {1, recognized.embed_dim});
  const TensorFile kept = take_kept(file);
  file.owners.insert(file.owners.end(), kept.owners.begin(), kept.owners.end());
  for (const auto& [key, view] : kept.tensors) {
    if (key.find(".attn.") == std::string::npos) file.tensors[key] = view;
  }
  for (int i = 0; i < recognized.depth; ++i) {
    restore_bias(file, kept, text("blocks.", i, "."), recognized.embed_dim);
  }
  const std::string periods(rope_periods_key);
  if (!file.tensors.contains(periods) && recognized.heads > 0 &&
      recognized.embed_dim % (4 * recognized.heads) == 0) {
    const auto values = rope_periods(recognized.embed_dim / recognized.heads);
    add_floats(file, periods, values, {static_cast<std::int64_t>(values.size())});
  }
  for (int i = 0; i < recognized.depth; ++i) {
    const std::string key = text("blocks.", i, ".attn.qkv.bias");
    const auto bias = file.tensors.find(key);
    const bool whole =
        bias != file.tensors.end() &&
        element_count(bias->second) == 3 * static_cast<std::uint64_t>(recognized.embed_dim);
    if (whole && !file.tensors.contains(key + "_mask")) {
      const auto mask = default_bias_mask(recognized.embed_dim);
      add_floats(file, key + "_mask", mask, {static_cast<std::int64_t>(mask.size())});
    }
  }
}

HOMOLOG_INLINE void drop_zero_biases(TensorFile& file) {
  std::vector<std::string> biases;
  for (const auto& [key, view] : file.tensors) {
    if (!key.ends_with(".attn.qkv.bias")) continue;
    const auto values = float_values(file, key);
    if (std::any_of(values.begin(), values.end(), [](float v) { return v != 0; })) return;
    biases.push_back(key);
  }
  for (const auto& key : biases) file.tensors.erase(key);
}

HOMOLOG_INLINE void reduce_dinov3(TensorFile& file, const Recognized& recognized, bool keep) {
  const auto same = [&file](const std::string& key, const std::vector<float>& values) {
    const TensorView& view = file.tensors.at(key);
    return view.dtype == DType::f32 && view.bytes.size() == 4 * values.size() &&
           std::memcmp(view.bytes.data(), values.data(), view.bytes.size()) == 0;
  };
  const auto drop = [&](const std::string& key, bool known) {
    if (keep && !known) {
      file.metadata[std::string(kept_prefix) + key] = tensor_to_text(file.tensors.at(key));
    }
    file.tensors.erase(key);
  };
  for (int i = 0; i < recognized.depth; ++i) {
    const std::string block = text("blocks.", i, "."), bias_key = block + "attn.qkv.bias";
    if (!file.tensors.contains(bias_key)) continue;
    std::vector<float> bias = effective_qkv_bias(file, block, recognized.embed_dim);
    if (file.tensors.contains(bias_key + "_mask")) {
      drop(bias_key + "_mask", same(bias_key + "_mask", default_bias_mask(recognized.embed_dim)));
    }
    // Other key styles have no bias of keys, so that this third of the bias comes back as zeros.
    const auto dim = static_cast<std::ptrdiff_t>(recognized.embed_dim);
    std::fill(bias.begin() + dim, bias.begin() + 2 * dim, 0.0F);
    const std::vector<float> stored = float_values(file, bias_key);
    if (std::memcmp(stored.data(), bias.data(), 4 * bias.size()) == 0) continue;
    drop(bias_key, false);
    add_floats(file, bias_key, bias, {3 * recognized.embed_dim});
  }
  const std::string periods(rope_periods_key);
  if (file.tensors.contains(periods)) {
    drop(periods, recognized.heads > 0 &&
                      same(periods, rope_periods(recognized.embed_dim / recognized.heads)));
  }
  for (const char* key : {"local_cls_norm.weight", "local_cls_norm.bias"}) {
    if (file.tensors.contains(key)) drop(key, false);
  }
}

}  // namespace homolog::inline v0_1::detail
