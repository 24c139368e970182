// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Key names of another project as a table, and the renaming by it in both directions, with the
/// tensors that are cut differently there joined or split.

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "homolog/core/errors.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

/// One line of a key table. `#` is the index of a block. `@` in `other` stands for the table's
/// words for query, key and value, whose rows are stacked in this order in the original tensor.
struct KeyPair {
  std::string_view original;  ///< the name in the original project
  std::string_view other;     ///< the name elsewhere
};

/// A key table: how another project names the original's tensors. Names that are not listed are the
/// original's.
struct KeyTable {
  std::string_view other_stem;     ///< what precedes the block index there; `blocks.` originally
  std::span<const KeyPair> pairs;  ///< names that differ
  std::array<std::string_view, 3> parts{"query", "key", "value"};  ///< what `@` stands for
  bool key_bias = true;  ///< false: keys have no bias there, and zeros in the original tensor
  /// What is written before the listed names. Reading needs no such list: the prefix of a file is
  /// what stands before its patch embedding.
  std::string_view prefix = {};
};

namespace detail {

inline void add_renamed(TensorFile& file, const std::string& key, const TensorView& view) {
  if (!file.tensors.emplace(key, view).second) {
    throw WeightsError(text(file.name, ": two tensors would both be renamed to '", key, "'"));
  }
}

/// Renames from a table's other style to the original; keys that are not in the table stay.
TensorFile from_table(const TensorFile& file, const KeyTable& table);

/// Renames from the original style to a table's other one; keys that are not in the table stay.
TensorFile to_table(const TensorFile& file, const KeyTable& table);

}  // namespace detail
}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/backbones/families/detail/key_table_inl.hpp"
#endif
