// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Renaming a recognised file's tensors between the key styles of the original project, Hugging
/// Face and timm, with the tensors that are cut differently there joined or split.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/weights/detail/dinov3_keys.hpp"
#include "homolog/weights/detail/key_names.hpp"
#include "homolog/weights/detail/mapped_file.hpp"
#include "homolog/weights/recognize.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Query, key and value of one attention layer, in this order; null when absent.
using AttentionParts = std::array<const TensorView*, 3>;

inline void add_renamed(TensorFile& file, const std::string& key, const TensorView& view) {
  if (!file.tensors.emplace(key, view).second) {
    throw WeightsError(text(file.name, ": two tensors become '", key, "'"));
  }
}

/// Refuses a bias of keys where the original has none: masked away, it would change the features.
inline void require_no_key_bias(const TensorFile& file, const TensorView& bias,
                                const std::string& key) {
  if (std::any_of(bias.bytes.begin(), bias.bytes.end(),
                  [](std::byte byte) { return byte != std::byte{0}; })) {
    throw WeightsError(text(file.name, ": the key part of '", key, "' is not zero, and DINOv3's ",
                            "keys have no bias"));
  }
}

/// Whether keys (not queries, not values) lack this tensor in a table's style.
inline bool is_key_bias(const KeyTable& table, std::string_view original, std::size_t part) {
  return !table.key_bias && part == 1 && original.ends_with(".bias");
}

/// Stacks tensors row by row into a new one.
inline void add_stacked(TensorFile& file, const std::string& key, const AttentionParts& parts,
                        const KeyTable& table) {
  const TensorView* first = parts[0];
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (is_key_bias(table, key, i) && parts[i] == nullptr) continue;
    if (parts[i] == nullptr) {
      throw WeightsError(
          text(file.name, ": the ", table.parts[i], " part of '", key, "' is missing"));
    }
    const auto& part = *parts[i];
    if (is_key_bias(table, key, i)) require_no_key_bias(file, part, key);
    if (part.shape.empty() || part.shape != first->shape || part.dtype != first->dtype) {
      throw WeightsError(text(file.name, ": query, key and value of '", key,
                              "' differ: ", dtype_name(first->dtype), ' ', shape_text(first->shape),
                              ", ", dtype_name(part.dtype), ' ', shape_text(part.shape)));
    }
  }
  if (file.tensors.contains(key))
    throw WeightsError(text(file.name, ": two tensors become '", key, "'"));
  std::vector<std::int64_t> shape = first->shape;
  if (__builtin_mul_overflow(shape[0], std::int64_t{3}, &shape[0])) {
    throw WeightsError(text(file.name, ": '", key, "' of shape ", shape_text(first->shape),
                            " three times overflows"));
  }
  std::byte* out = add_owned_tensor(file, key, first->dtype, shape).data();
  for (const auto* part : parts) {  // an absent part stays zero
    if (part != nullptr) {
      std::copy(part->bytes.begin(), part->bytes.end(), out);
      release_pages(*part);
    }
    out += first->bytes.size();
  }
}

/// Renames from a table's other style to the original; keys that are not in the table stay.
inline TensorFile from_table(const TensorFile& file, const KeyTable& table) {
  std::map<std::string, std::pair<std::string_view, int>> rules;  // part -1: the whole tensor
  for (const auto& pair : table.pairs) {
    if (pair.other.find('@') == std::string_view::npos) {
      rules.emplace(pair.other, std::pair{pair.original, -1});
      continue;
    }
    for (std::size_t part = 0; part < table.parts.size(); ++part) {
      rules.emplace(key_from_pattern(pair.other, "#", table.parts[part]),
                    std::pair{pair.original, static_cast<int>(part)});
    }
  }
  TensorFile result{{}, file.metadata, file.owners, file.name};
  std::map<std::string, AttentionParts> stacked;
  for (const auto& [key, view] : file.tensors) {
    const auto [pattern, index] = key_pattern(key, table.other_stem);
    const auto rule = rules.find(pattern);
    if (rule == rules.end()) {
      add_renamed(result, key, view);
      continue;
    }
    const auto [original, part] = rule->second;
    const std::string renamed = key_from_pattern(original, index);
    if (part < 0) {
      add_renamed(result, renamed, view);
    } else {
      stacked.try_emplace(renamed, AttentionParts{}).first->second[static_cast<std::size_t>(part)] =
          &view;
    }
  }
  for (const auto& [key, parts] : stacked) add_stacked(result, key, parts, table);
  return result;
}

/// Renames from the original style to a table's other one; keys that are not in the table stay.
inline TensorFile to_table(const TensorFile& file, const KeyTable& table) {
  std::map<std::string_view, std::string_view> rules;
  for (const auto& pair : table.pairs) rules.emplace(pair.original, pair.other);
  TensorFile result{{}, file.metadata, file.owners, file.name};
  for (const auto& [key, view] : file.tensors) {
    const auto [pattern, index] = key_pattern(key, original_stem);
    const auto rule = rules.find(pattern);
    if (rule == rules.end()) {
      add_renamed(result, key, view);
      continue;
    }
    const std::string other = std::string(table.prefix) + std::string(rule->second);
    if (other.find('@') == std::string::npos) {
      add_renamed(result, key_from_pattern(other, index), view);
      continue;
    }
    if (view.shape.empty() || view.shape[0] % 3 != 0) {
      throw WeightsError(text(file.name, ": '", key, "' of shape ", shape_text(view.shape),
                              " cannot be split into query, key and value"));
    }
    TensorView part = view;
    part.shape[0] /= 3;
    const std::size_t size = view.bytes.size() / 3;
    for (std::size_t i = 0; i < table.parts.size(); ++i) {
      if (is_key_bias(table, key, i)) continue;
      part.bytes = view.bytes.subspan(i * size, size);
      add_renamed(result, key_from_pattern(other, index, table.parts[i]), part);
    }
  }
  return result;
}

/// The table of a file's style; null when the family has no names in that style, or only the
/// original's.
inline const KeyTable* key_table(const Recognized& recognized, KeyStyle style) {
  const bool swiglu = recognized.swiglu;
  if (style == KeyStyle::huggingface) {
    if (recognized.family == "dinov2") return &dinov2_huggingface;
    if (recognized.family == "dinov3") {
      return swiglu ? &dinov3_huggingface_swiglu : &dinov3_huggingface;
    }
    if (recognized.family == "sam") return &sam_huggingface;
  }
  if (style == KeyStyle::timm) {
    if (recognized.family == "dinov3") return swiglu ? &dinov3_timm_swiglu : &dinov3_timm;
    if (recognized.family == "sam") return &sam_timm;
    return swiglu ? &timm_swiglu : &timm_plain;
  }
  return nullptr;
}

/// Gives a position table without the class token's row one of zeros: timm has added that row to
/// the class token already.
inline void complete_position_rows(TensorFile& file) {
  const auto found = file.tensors.find("pos_embed");
  if (found == file.tensors.end()) return;
  const TensorView table = found->second;
  if (table.shape.size() != 3 || table.shape[0] != 1 || table.shape[1] < 2 ||
      table.shape[1] > 1 << 20 || table.shape[2] < 1) {
    return;
  }
  if (canonical_position_rows(static_cast<int>(table.shape[1])) != table.shape[1] + 1) return;
  const auto complete =
      add_owned_tensor(file, "pos_embed", table.dtype, {1, table.shape[1] + 1, table.shape[2]});
  std::copy(table.bytes.begin(), table.bytes.end(),
            complete.end() - static_cast<std::ptrdiff_t>(table.bytes.size()));
}

/// The opposite of complete_position_rows: adds the class token's position to the class token, as
/// timm stores its register models.
inline void fold_class_position(TensorFile& file) {
  const auto token = file.tensors.find("cls_token"), table = file.tensors.find("pos_embed");
  if (token == file.tensors.end() || table == file.tensors.end()) {
    throw WeightsError(text(file.name, ": no cls_token or no pos_embed to fold for timm"));
  }
  const TensorView old_token = token->second, old_table = table->second;
  const std::size_t row = old_token.bytes.size();
  if (old_token.dtype != DType::f32 || old_table.dtype != DType::f32 ||
      old_table.shape.size() != 3 || old_table.shape[1] < 2 || row % sizeof(float) != 0 ||
      old_table.bytes.size() != row * static_cast<std::size_t>(old_table.shape[1])) {
    throw WeightsError(text(file.name, ": cls_token ", dtype_name(old_token.dtype),
                            shape_text(old_token.shape), " and pos_embed ",
                            dtype_name(old_table.dtype), shape_text(old_table.shape),
                            " cannot be folded for timm, expected F32 [1, 1, D] and [1, N, D]"));
  }
  const auto sum = add_owned_tensor(file, "cls_token", DType::f32, old_token.shape);
  for (std::size_t at = 0; at < row; at += sizeof(float)) {
    float a = 0, b = 0;
    std::memcpy(&a, old_token.bytes.data() + at, sizeof(float));
    std::memcpy(&b, old_table.bytes.data() + at, sizeof(float));
    a += b;
    std::memcpy(sum.data() + at, &a, sizeof(float));
  }
  TensorView& patches = file.tensors.at("pos_embed");
  patches.shape[1] -= 1;
  patches.bytes = old_table.bytes.subspan(row);
}

}  // namespace detail

/// A file's tensors under the original project's key names (for a plain vision transformer, timm's,
/// which are the same): prefixes and chunk indices dropped, query, key and value stacked, timm's
/// DINOv2 with registers given a class row of zeros in `pos_embed`, and a DINOv3 the periods and
/// bias masks that only its own files hold. Keys without a counterpart stay as they are. Tensors
/// that are only renamed share the file's bytes.
///
/// @throws WeightsError when two keys become one, or a part of an attention tensor is missing
inline TensorFile to_original_keys(const TensorFile& file, const Recognized& recognized) {
  TensorFile result = detail::plain_keys(file, recognized.prefix);
  if (const auto* table = detail::key_table(recognized, recognized.style)) {
    result = detail::from_table(result, *table);
    if (recognized.family == "dinov3") detail::complete_dinov3(result, recognized);
    if (recognized.style == KeyStyle::timm && recognized.position_rows > 0 &&
        recognized.family != "sam") {
      detail::complete_position_rows(result);
    }
  }
  // Without a mask token a plain DINOv2 could be timm's; see recognize().
  if (recognized.family == "dinov2" && recognized.style != KeyStyle::timm) {
    result.metadata["homolog.keys"] = "original";
  }
  return result;
}

/// The reverse for Hugging Face's names: `to_original_keys(to_huggingface_keys(file))` has the same
/// keys and bytes as `file`. Tensors of a DINOv3 that have no name there travel in the metadata;
/// its biases become those of the forward pass, bias * mask. SAM's keys begin with
/// `vision_encoder.` there. All other bytes are shared.
///
/// @param original tensors with original key names, as to_original_keys() gives them
/// @throws WeightsError when the family has no Hugging Face names here, or a tensor cannot be split
inline TensorFile to_huggingface_keys(const TensorFile& original, const Recognized& recognized) {
  const auto* table = detail::key_table(recognized, KeyStyle::huggingface);
  if (table == nullptr) {
    throw WeightsError(detail::text(original.name, ": no Hugging Face key names are known for ",
                                    recognized.family));
  }
  TensorFile result = original;
  if (recognized.family == "dinov3") {
    detail::reduce_dinov3(result, recognized, /*keep=*/true);
    detail::state_heads(result, recognized);
    detail::reshape_mask_token(result, {1, 1, recognized.embed_dim});
  }
  result = detail::to_table(result, *table);
  result.metadata.erase("homolog.keys");
  return result;
}

/// SAM's keys as its published files have them. Those of the image encoder begin with
/// `image_encoder.` there.
///
/// @param original tensors with original key names, as to_original_keys() gives them
inline TensorFile with_image_encoder_prefix(const TensorFile& original) {
  TensorFile result{{}, original.metadata, original.owners, original.name};
  for (const auto& [key, view] : original.tensors) {
    const auto pattern = detail::key_pattern(key, detail::original_stem).pattern;
    const bool encoder = std::any_of(
        std::begin(detail::sam_huggingface_pairs), std::end(detail::sam_huggingface_pairs),
        [&pattern](const auto& pair) { return pair.original == pattern; });
    detail::add_renamed(result, (encoder ? "image_encoder." : "") + key, view);
  }
  return result;
}

/// timm's names: the mask token is dropped, and what timm cannot hold is worked in so that features
/// stay the same: in DINOv2 with registers the class token's position is added to the class token,
/// a DINOv3 loses its periods (timm computes them) and biases that are zero.
///
/// @param original tensors with original key names, as to_original_keys() gives them
/// @throws WeightsError when the tensors to fold are absent or not float32
inline TensorFile to_timm_keys(const TensorFile& original, const Recognized& recognized) {
  TensorFile result = original;
  result.tensors.erase("mask_token");
  if (recognized.family == "dinov3") {
    detail::reduce_dinov3(result, recognized, /*keep=*/false);
    detail::state_heads(result, recognized);
    const auto zero = [&result](const std::string& key) {
      const auto values = detail::float_values(result, key);
      return std::all_of(values.begin(), values.end(), [](float v) { return v == 0; });
    };
    std::vector<std::string> biases;
    for (const auto& [key, view] : result.tensors) {
      if (key.ends_with(".attn.qkv.bias")) biases.push_back(key);
    }
    if (std::all_of(biases.begin(), biases.end(), zero)) {
      for (const auto& key : biases) result.tensors.erase(key);
    }
  }
  result = detail::to_table(result, *detail::key_table(recognized, KeyStyle::timm));
  if (recognized.family == "dinov2" && recognized.registers > 0) {
    detail::fold_class_position(result);
  }
  result.metadata.erase("homolog.keys");
  return result;
}

}  // namespace homolog::inline v0_1
