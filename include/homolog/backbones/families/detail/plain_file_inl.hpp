// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of backbones/families/plain_file.hpp.

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/backbones/families/plain_file.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Words in the prefix of a backbone that its training code takes features from, where the same
/// file holds the one that it trains as well: DINO, iBOT and DINOv2; I-JEPA; timm; MoCo v3.
inline constexpr std::array<std::string_view, 5> chosen_words{"teacher", "target_encoder", "ema",
                                                              "model_ema", "base_encoder"};

/// Whether one of the words between the dots of a prefix is a chosen one.
inline bool is_chosen(std::string_view prefix) {
  for (std::size_t begin = 0; begin < prefix.size(); begin = prefix.find('.', begin) + 1) {
    const auto word = prefix.substr(begin, prefix.find('.', begin) - begin);
    if (std::find(chosen_words.begin(), chosen_words.end(), word) != chosen_words.end()) {
      return true;
    }
  }
  return false;
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

HOMOLOG_INLINE std::vector<std::string> key_prefixes(const TensorFile& file,
                                                     std::span<const std::string_view> patch_keys) {
  std::vector<std::string> prefixes;
  for (const auto& [key, view] : file.tensors) {
    std::size_t longest = 0;  // `embeddings.patch_embeddings.weight` ends with other families' keys
    for (const std::string_view name : patch_keys) {
      const bool whole = key.size() == name.size() ||
                         (key.size() > name.size() && key[key.size() - name.size() - 1] == '.');
      if (whole && key.ends_with(name)) longest = (std::max)(longest, name.size());
    }
    if (longest > 0) prefixes.push_back(key.substr(0, key.size() - longest));
  }
  return prefixes;
}

HOMOLOG_INLINE std::optional<std::string> find_key_prefix(
    const TensorFile& file, std::span<const std::string_view> patch_keys) {
  const std::vector<std::string> all = key_prefixes(file, patch_keys);
  if (all.empty()) return std::nullopt;
  if (all.size() == 1) return all.front();
  constexpr std::size_t most = 64;  // a file with more was made to take time
  if (all.size() <= most && std::count_if(all.begin(), all.end(), is_chosen) == 1) {
    return *std::find_if(all.begin(), all.end(), is_chosen);
  }
  if (all.size() <= most && std::find(all.begin(), all.end(), "") != all.end()) return "";
  std::string names;
  for (std::size_t i = 0; i < (std::min)(all.size(), std::size_t{8}); ++i) {
    names += text(i == 0 ? "'" : ", '", printable_text(all[i], 60), "'");
  }
  throw WeightsError(text(file.name, ": holds ", all.size(), " backbones, whose keys begin with ",
                          names, all.size() > 8 ? " and so on" : "",
                          "; save the one that you want into a file of its own"));
}

/// Drops the name of the module that holds the blocks of a DINOv3 in memory in transformers 5,
/// which its published files do not have: `model.layer.0.` -> `layer.0.`.
inline std::string_view without_block_holder(std::string_view key) {
  constexpr std::string_view holder = "model.";
  return key.starts_with("model.layer.") ? key.substr(holder.size()) : key;
}

/// Removes the prefix of the backbone's keys from a key. A key outside the backbone loses only the
/// words that it shares with that prefix: with the prefix `module.image_encoder.`,
/// `module.mask_decoder.x` becomes `mask_decoder.x`.
inline std::string_view without_prefix(std::string_view key, std::string_view prefix) {
  const auto differ = std::mismatch(key.begin(), key.end(), prefix.begin(), prefix.end()).first;
  const auto shared = key.substr(0, static_cast<std::size_t>(differ - key.begin()));
  const auto dot = shared.rfind('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

/// Whether a key belongs to another backbone: begins with its prefix and with no longer one.
inline bool is_of_another(std::string_view key, std::string_view prefix,
                          const std::vector<std::string>& prefixes) {
  const std::string* longest = nullptr;
  for (const std::string& one : prefixes) {
    if (key.starts_with(one) && (longest == nullptr || one.size() > longest->size())) {
      longest = &one;
    }
  }
  return longest != nullptr && *longest != prefix;
}

HOMOLOG_INLINE TensorFile plain_keys(const TensorFile& file, const std::string& prefix,
                                     std::span<const std::string_view> patch_keys) {
  const std::vector<std::string> prefixes = key_prefixes(file, patch_keys);
  TensorFile result{{}, file.metadata, file.owners, file.name};
  for (const auto& [key, view] : file.tensors) {
    if (prefixes.size() > 1 && is_of_another(key, prefix, prefixes)) continue;
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
