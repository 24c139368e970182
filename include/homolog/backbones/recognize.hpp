// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Which backbone a weights file holds, told from its key names, shapes and, where other families
/// have the same, values.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/plain_file.hpp"
#include "homolog/backbones/families/stock.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// The most blocks that a backbone may have; a file with more was made to exhaust memory.
inline constexpr int deepest_backbone = 1024;

inline int heads_of(const TensorFile& file, int embed_dim) {
  const auto stated = file.metadata.find("homolog.heads");
  if (stated == file.metadata.end()) return embed_dim % 64 == 0 ? embed_dim / 64 : 1;
  int heads = 0;
  const auto& digits = stated->second;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), heads);
  if (error != std::errc() || end != digits.data() + digits.size() || heads < 1 ||
      embed_dim % heads != 0) {
    throw WeightsError(text(file.name, ": metadata homolog.heads is '", digits.substr(0, 40),
                            "', expected a divisor of ", embed_dim));
  }
  return heads;
}

/// What a family recognises in a file; nothing when the file is not one of its own.
template <class Family>
std::optional<Candidate> candidate(const TensorFile& file, const TensorFile& plain,
                                   const std::string& prefix) {
  std::optional<Candidate> found = Family::recognize(plain);
  if (!found) return std::nullopt;
  Recognized& result = found->recognized;
  if (result.embed_dim == 0 || result.patch_size == 0 || result.depth > deepest_backbone) {
    return std::nullopt;
  }
  result.family = Family::name;
  result.prefix = prefix;
  for (const PublishedSizes& sizes : Family::published) {
    const Recognized published = from_published(Family::name, sizes, result.style);
    // A published model that lacks blocks keeps its number of heads, which only metadata could
    // state otherwise.
    if (same_sizes_but_fewer_blocks(published, result) && result.heads == 0 &&
        !file.metadata.contains("homolog.heads")) {
      result.heads = published.heads;
    }
    if (!same_sizes(published, result)) continue;
    result.variant = published.variant;
    result.heads = published.heads;
    // timm leaves out biases that are zero; in the other key styles a published model has all of
    // its biases.
    if (result.style != KeyStyle::timm) result.qkv_bias = published.qkv_bias;
  }
  if (result.heads == 0) {
    found->heads_guessed = !file.metadata.contains("homolog.heads");
    result.heads = heads_of(file, result.embed_dim);
  }
  return found;
}

/// Keeps only the candidates for which `fits` is true; keeps all when there is none.
template <class Fits>
void prefer(std::vector<Candidate>& candidates, const Fits& fits) {
  if (std::any_of(candidates.begin(), candidates.end(), fits)) {
    std::erase_if(candidates, [&](const Candidate& one) { return !fits(one); });
  }
}

/// The candidates of all families of a list, reduced to the family that the metadata states and to
/// certain candidates when there are any.
///
/// @param named the family that the user names; empty for none
template <class List>
std::vector<Candidate> candidates(const TensorFile& file, std::string_view named) {
  std::vector<Candidate> found;
  const std::vector<std::string_view> patches = patch_keys<List>();
  const auto prefix = find_key_prefix(file, patches);
  if (!prefix) return found;
  const TensorFile plain = plain_keys(file, *prefix, patches);
  List::for_each([&]<class Family>(Family) {
    if (auto one = candidate<Family>(file, plain, *prefix)) found.push_back(std::move(*one));
  });
  const auto stated = file.metadata.find("homolog.family");
  const auto is_stated = [&](const Candidate& one) {
    return stated != file.metadata.end() && one.recognized.family == stated->second;
  };
  std::erase_if(found, [&](const Candidate& one) {
    return one.only_named && !is_stated(one) && one.recognized.family != named;
  });
  prefer(found, is_stated);
  prefer(found, [](const Candidate& one) { return one.certain; });
  return found;
}

}  // namespace detail

/// All backbones that a file may hold: one, several when families share keys and shapes and nothing
/// in the file decides between them, or none.
///
/// Whatever stands before a backbone's keys, such as `backbone.`, and the chunk indices of training
/// checkpoints are understood. What decides is, in this order: metadata `homolog.family`, keys or
/// values that one family alone has, a size that one family alone has published. Whether the file
/// is complete is checked by audit().
///
/// @param family the one that the user names; empty for none
/// @throws WeightsError when the file holds several backbones and no key says which one to take,
/// removing prefixes makes two keys one, or metadata states bad heads
template <class List = StockFamilies>
std::vector<Recognized> recognize_all(const TensorFile& file, std::string_view family = {}) {
  std::vector<Candidate> candidates = detail::candidates<List>(file, family);
  const auto stated = file.metadata.find("homolog.family");
  std::erase_if(candidates, [&](const Candidate& one) {
    const Recognized& sizes = one.recognized;
    const bool named = stated != file.metadata.end() && sizes.family == stated->second;
    return sizes.variant.empty() && !one.certain && !named &&
           List::visit(sizes.family, []<class Family>(Family) { return Family::only_published; });
  });
  detail::prefer(candidates, [](const Candidate& one) { return !one.recognized.variant.empty(); });
  std::vector<Recognized> result;
  result.reserve(candidates.size());
  for (Candidate& one : candidates) result.push_back(std::move(one.recognized));
  return result;
}

/// Why a file is no backbone, in words: it is a checkpoint, which holds tuned tensors alone, or
/// none of the keys, of which it names some, is a known patch embedding's.
inline std::string unrecognized(const TensorFile& file) {
  if (file.metadata.contains("homolog.checkpoint")) {
    return file.name +
           ": a checkpoint of homolog's finetune, which holds tuned tensors alone; load it onto "
           "the "
           "weights that were tuned (the command: --weights WEIGHTS --checkpoint " +
           file.name + ")";
  }
  std::string names;
  int shown = 0;
  for (const auto& [key, view] : file.tensors) {
    if (++shown > 3) break;
    names += detail::text(shown == 1 ? "; the first are '" : ", '", printable_text(key, 60), "'");
  }
  return file.name + ": its keys belong to no known backbone" + names;
}

/// Family, variant, key style and sizes of the backbone in a file.
///
/// @param variant a published name, which decides where the file may be several; empty for none
/// @return nothing when the keys are those of no family in the list
/// @throws WeightsError as recognize_all(); when the file may be several backbones, naming them;
///   when it is another one than `variant`, naming both
template <class List = StockFamilies>
std::optional<Recognized> recognize(const TensorFile& file, std::string_view variant = {}) {
  std::vector<Recognized> all = recognize_all<List>(file, family_of<List>(variant));
  if (all.empty()) return std::nullopt;
  if (variant.empty() && all.size() == 1) return std::move(all.front());
  std::string names;
  for (Recognized& one : all) {
    // A published model that lacks blocks and an unpublished size have no variant name, only the
    // family's.
    const bool of_family = one.variant.empty() && one.family == family_of<List>(variant);
    if (!variant.empty() && (one.variant == variant || of_family)) return std::move(one);
    names += (names.empty() ? "" : " or ") + (one.variant.empty() ? one.family : one.variant);
  }
  if (!variant.empty()) {
    throw WeightsError(detail::text(file.name, ": recognised as ", names, ", expected ", variant));
  }
  throw WeightsError(
      detail::text(file.name, ": may be ", names,
                   ", whose files have the same keys and shapes; say which one it is by its name"));
}

}  // namespace homolog::inline v0_1
