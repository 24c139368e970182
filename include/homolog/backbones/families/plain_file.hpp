// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The taking apart of a weights file's keys: prefixes that exporters put in front, the index of a
/// block, the chunk index of training checkpoints; and what is left of the file, for recognising.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

inline constexpr std::string_view original_stem = "blocks.";

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

/// Number of leading digits.
inline std::size_t digits(std::string_view text) {
  return (std::min)(text.find_first_not_of("0123456789"), text.size());
}

/// A key with its block index taken out: `blocks.7.norm1.bias` -> `blocks.#.norm1.bias`, `7`.
struct KeyPattern {
  std::string pattern;
  std::string index;  ///< empty when the key belongs to no block
};

inline KeyPattern key_pattern(std::string_view key, std::string_view stem) {
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

/// The reverse of key_pattern(), also for `@`.
inline std::string key_from_pattern(std::string_view pattern, std::string_view index,
                                    std::string_view part = {}) {
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

/// The known prefix before a patch embedding's key; nothing when no key is one.
///
/// @param patch_keys what the patch embedding's weight may be called
inline std::optional<std::string> find_key_prefix(const TensorFile& file,
                                                  std::span<const std::string_view> patch_keys) {
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

/// Whether a file has any of these keys.
inline bool has_key(const TensorFile& file, std::initializer_list<std::string_view> keys) {
  return std::any_of(keys.begin(), keys.end(), [&file](std::string_view key) {
    return file.tensors.contains(std::string(key));
  });
}

/// The file without the prefix and without chunk indices; keys without the prefix stay, except that
/// shared wrappers are removed.
///
/// @throws WeightsError when two keys become one
inline TensorFile plain_keys(const TensorFile& file, const std::string& prefix) {
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

/// Shapes of a file's tensors by key pattern, for recognising. With `#` for the index of a block, a
/// pattern such as `blocks.#.norm1.weight` is the tensor of the first block that has it.
class KeyShapes {
 public:
  /// @param file without prefixes; it outlives this
  /// @param stem what precedes the index of a block, such as `blocks.`
  explicit KeyShapes(const TensorFile& file, std::string_view stem = detail::original_stem) {
    for (const auto& [key, view] : file.tensors) {
      auto [pattern, index] = detail::key_pattern(key, stem);
      if (!index.empty()) blocks_.insert(index);
      shapes_.emplace(std::move(pattern), &view.shape);
    }
  }
  /// Whether a tensor has this name.
  bool has(std::string_view pattern) const { return shapes_.find(pattern) != shapes_.end(); }
  /// One size of a tensor; 0 when the tensor is absent or has another rank, or the size is above
  /// 2^20.
  int size(std::string_view pattern, std::size_t rank, std::size_t axis) const {
    const auto found = shapes_.find(pattern);
    if (found == shapes_.end() || found->second->size() != rank) return 0;
    const auto size = (*found->second)[axis];
    return size > 0 && size <= 1 << 20 ? static_cast<int>(size) : 0;
  }
  /// The number of blocks.
  int depth() const { return static_cast<int>(blocks_.size()); }

 private:
  std::map<std::string, const std::vector<std::int64_t>*, std::less<>> shapes_;
  std::set<std::string> blocks_;
};

}  // namespace homolog::inline v0_1
