// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of backbones/families/plain_file.hpp.

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "homolog/backbones/families/plain_file.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Prefixes that exporters and training codes put before a backbone's keys, in any combination.
inline constexpr std::array<std::string_view, 11> key_prefixes{
    "dinov2.",        "dinov2_with_registers.",
    "dinov3_vit.",    "vit.",
    "backbone.",      "model.",
    "module.",        "teacher.",
    "image_encoder.", "vision_encoder.",
    "encoder."};

/// Whether a string is made of known prefixes only.
inline bool is_known_prefix(std::string_view prefix) {
  while (!prefix.empty()) {
    const auto known = std::find_if(key_prefixes.begin(), key_prefixes.end(),
                                    [&](std::string_view p) { return prefix.starts_with(p); });
    if (known == key_prefixes.end()) return false;
    prefix.remove_prefix(known->size());
  }
  return true;
}

HOMOLOG_INLINE KeyPattern key_pattern(std::string_view key, std::string_view stem) {
  if (key.starts_with(stem)) {
    const auto rest = key.substr(stem.size());
    const auto count = digits(rest);
    if (count > 0 && count < rest.size() && rest[count] == '.') {
      return {std::string(stem) + "#" + std::string(rest.substr(count)),
              std::string(rest.substr(0, count))};
    }
  }
  return {std::string(key), ""};
}

HOMOLOG_INLINE std::string key_from_pattern(std::string_view pattern, std::string_view index,
                                            std::string_view part) {
  std::string key;
  for (const char c : pattern) {
    if (c == '#') {
      key += index;
    } else if (c == '@') {
      key += part;
    } else {
      key += c;
    }
  }
  return key;
}

/// Drops the chunk of `blocks.<chunk>.<i>.`, as training checkpoints have it.
inline std::string without_chunk(const std::string& key) {
  if (!key.starts_with(original_stem)) return key;
  const auto rest = std::string_view(key).substr(original_stem.size());
  const auto first = digits(rest);
  if (first == 0 || first + 1 >= rest.size() || rest[first] != '.') return key;
  const auto inner = rest.substr(first + 1);
  const auto second = digits(inner);
  if (second == 0 || second >= inner.size() || inner[second] != '.') return key;
  return std::string(original_stem) + std::string(inner);
}

HOMOLOG_INLINE std::optional<std::string> find_key_prefix(
    const TensorFile& file, std::span<const std::string_view> patch_keys) {
  for (const auto& [key, view] : file.tensors) {
    for (const std::string_view anchor : patch_keys) {
      if (!key.ends_with(anchor)) continue;
      const auto prefix = key.substr(0, key.size() - anchor.size());
      if (is_known_prefix(prefix)) return prefix;
    }
  }
  return std::nullopt;
}

/// Drops the name of the module that holds the blocks of a DINOv3 in memory in transformers 5,
/// which its published files do not have: `model.layer.0.` -> `layer.0.`.
inline std::string_view without_block_holder(std::string_view key) {
  constexpr std::string_view holder = "model.";
  return key.starts_with("model.layer.") ? key.substr(holder.size()) : key;
}

/// Removes the prefix of the backbone's keys from a key. A key outside the backbone loses only the
/// wrappers that it shares with that prefix: with the prefix `module.image_encoder.`,
/// `module.mask_decoder.x` becomes `mask_decoder.x`.
inline std::string_view without_prefix(std::string_view key, std::string_view prefix) {
  if (key.starts_with(prefix)) return key.substr(prefix.size());
  while (true) {
    const auto known = std::find_if(
        key_prefixes.begin(), key_prefixes.end(),
        [&](std::string_view p) { return key.starts_with(p) && prefix.starts_with(p); });
    if (known == key_prefixes.end()) return key;
    key.remove_prefix(known->size());
    prefix.remove_prefix(known->size());
  }
}

HOMOLOG_INLINE TensorFile plain_keys(const TensorFile& file, const std::string& prefix) {
  TensorFile result{{}, file.metadata, file.owners, file.name};
  for (const auto& [key, view] : file.tensors) {
    const std::string plain =
        without_chunk(std::string(without_block_holder(without_prefix(key, prefix))));
    if (!result.tensors.emplace(plain, view).second) {
      throw WeightsError(text(file.name, ": two tensors are named '", plain, "' without prefix '",
                              prefix, "' and chunk index"));
    }
  }
  return result;
}

}  // namespace detail

}  // namespace homolog::inline v0_1
