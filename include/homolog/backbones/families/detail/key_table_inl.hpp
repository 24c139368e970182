// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of backbones/families/key_table.hpp.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/backbones/families/key_table.hpp"
#include "homolog/backbones/families/plain_file.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/weights/detail/mapped_file.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Query, key and value of one attention layer, in this order; null when absent.
using AttentionParts = std::array<const TensorView*, 3>;

/// Refuses a bias of keys that is not zero when the original has no such bias: dropping it would
/// change the features.
inline void require_no_key_bias(const TensorFile& file, const TensorView& bias,
                                const std::string& key) {
  if (std::any_of(bias.bytes.begin(), bias.bytes.end(),
                  [](std::byte byte) { return byte != std::byte{0}; })) {
    throw WeightsError(text(file.name, ": the key part of '", key, "' is not zero, and the keys ",
                            "of this family have no bias"));
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
    throw WeightsError(text(file.name, ": two tensors would both be renamed to '", key, "'"));
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

HOMOLOG_INLINE TensorFile from_table(const TensorFile& file, const KeyTable& table) {
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

HOMOLOG_INLINE TensorFile to_table(const TensorFile& file, const KeyTable& table) {
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

}  // namespace detail

}  // namespace homolog::inline v0_1
