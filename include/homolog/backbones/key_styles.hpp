// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Renaming a recognised file's tensors between the key styles of the original project, Hugging
/// Face and timm.

#include "homolog/backbones/families/family.hpp"
#include "homolog/backbones/families/key_table.hpp"
#include "homolog/backbones/families/plain_file.hpp"
#include "homolog/backbones/families/stock.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/value_names.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

/// A file's tensors under the original project's key names (for a plain vision transformer, timm's,
/// which are the same): prefixes and chunk indices are dropped, query, key and value are stacked,
/// and tensors that the file's style leaves out are added, as each family's record defines. Keys
/// without a counterpart stay as they are, and other backbones of the file are left out. Tensors
/// that are only renamed share the file's bytes.
///
/// @throws WeightsError when two keys become one, or a part of an attention tensor is missing
template <class List = StockFamilies>
TensorFile to_original_keys(const TensorFile& file, const Recognized& recognized) {
  return List::visit(recognized.family, [&]<class Family>(Family) {
    TensorFile result = detail::plain_keys(file, recognized.prefix, detail::patch_keys<List>());
    if (const KeyTable* table = Family::key_table(recognized, recognized.style)) {
      result = detail::from_table(result, *table);
    }
    Family::complete(result, recognized);
    if (Family::shares_keys) result.metadata["homolog.family"] = Family::name;
    return result;
  });
}

/// The reverse: `to_original_keys(to_keys(file, style))` has the same keys and, but for timm's
/// files, the same bytes as `file`. Data that a style cannot hold goes into the metadata (Hugging
/// Face) or is folded into other tensors so that features stay the same (timm). With
/// KeyStyle::original the keys are those of the published files, which for SAM begin with
/// `image_encoder.`.
///
/// @param original tensors with original key names, as to_original_keys() gives them
/// @throws WeightsError when the family has no names of that style, or a tensor cannot be split
template <class List = StockFamilies>
TensorFile to_keys(const TensorFile& original, const Recognized& recognized, KeyStyle style) {
  return List::visit(recognized.family, [&]<class Family>(Family) {
    const KeyTable* table = Family::key_table(recognized, style);
    if (style != KeyStyle::original && table == nullptr) {
      const bool unusual = recognized.swiglu || recognized.registers > 0;
      throw WeightsError(detail::text(original.name, ": no ", value_name(style),
                                      " key names are known for ", Family::name,
                                      unusual ? " with gated MLPs or registers" : ""));
    }
    TensorFile result = original;
    if (style != KeyStyle::original) Family::reduce(result, recognized, style);
    if (table != nullptr) result = detail::to_table(result, *table);
    if (style != KeyStyle::original) return result;
    TensorFile published{{}, result.metadata, result.owners, result.name};
    for (const auto& [key, view] : result.tensors) {
      detail::add_renamed(published, Family::published_key(key), view);
    }
    return published;
  });
}

}  // namespace homolog::inline v0_1
