// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The taking apart of a weights file's keys: prefixes that exporters put in front, the index of a
/// block, the chunk index of training checkpoints; and what is left of the file, for recognising.

#include <algorithm>
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

/// Number of leading digits.
inline std::size_t digits(std::string_view text) {
  return (std::min)(text.find_first_not_of("0123456789"), text.size());
}

/// A key with its block index taken out: `blocks.7.norm1.bias` -> `blocks.#.norm1.bias`, `7`.
struct KeyPattern {
  std::string pattern;
  std::string index;  ///< empty when the key belongs to no block
};

KeyPattern key_pattern(std::string_view key, std::string_view stem);

/// The reverse of key_pattern(), also for `@`.
std::string key_from_pattern(std::string_view pattern, std::string_view index,
                             std::string_view part = {});

/// What stands before each patch embedding's key: once a backbone in the file.
///
/// @param patch_keys what the patch embedding's weight may be called
std::vector<std::string> key_prefixes(const TensorFile& file,
                                      std::span<const std::string_view> patch_keys);

/// The prefix of the backbone's keys: the one there is; of several the one that names a teacher, or
/// another copy that features are taken from; else the empty one. Nothing when the file has no
/// patch embedding.
///
/// @throws WeightsError that names them where none of this decides
std::optional<std::string> find_key_prefix(const TensorFile& file,
                                           std::span<const std::string_view> patch_keys);

/// Whether a file has any of these keys.
inline bool has_key(const TensorFile& file, std::initializer_list<std::string_view> keys) {
  return std::any_of(keys.begin(), keys.end(), [&file](std::string_view key) {
    return file.tensors.contains(std::string(key));
  });
}

/// The file without the prefix, without chunk indices and without the tensors of other backbones;
/// other keys stay, except for the first words that they share with the prefix.
///
/// @param prefix one of the file's
/// @param patch_keys as of key_prefixes()
/// @throws WeightsError when two keys become one
TensorFile plain_keys(const TensorFile& file, const std::string& prefix,
                      std::span<const std::string_view> patch_keys);

/// The names of a list's patch embeddings, each once.
template <class List>
std::vector<std::string_view> patch_keys() {
  std::vector<std::string_view> keys;
  List::for_each([&]<class Family>(Family) {
    for (const std::string_view key : Family::patch_keys) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
  });
  return keys;
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

#ifndef HOMOLOG_COMPILED
#include "homolog/backbones/families/detail/plain_file_inl.hpp"
#endif
