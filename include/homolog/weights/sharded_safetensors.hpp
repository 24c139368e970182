// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Weights in several safetensors files and the index that names them, as Hugging Face stores large
/// models: `model.safetensors.index.json`.

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

/// What the name of an index ends with.
inline constexpr std::string_view shard_index_suffix = ".index.json";
/// [bytes] largest index that is read.
inline constexpr std::uintmax_t shard_index_limit = std::uintmax_t{64} << 20;

/// Reads the shards that an index names, from the index's own folder, as one file; tensors are
/// views of the mapped shards. `metadata` is that of the shards, the first one's where they differ.
///
/// @param index such as `model.safetensors.index.json`: `{"weight_map": {key: shard}}`
/// @throws FileError when a file cannot be opened, WeightsError when the index is malformed, names
///         a file outside its folder, or does not list exactly the tensors that its shards hold
TensorFile read_sharded_safetensors(const std::filesystem::path& index);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/weights/detail/sharded_safetensors_inl.hpp"
#endif
