// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Weights in several safetensors files and the index that names them, as Hugging Face stores large
/// models: `model.safetensors.index.json`.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "homolog/core/detail/strict_json.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/weights/safetensors.hpp"
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
inline TensorFile read_sharded_safetensors(const std::filesystem::path& index) {
  const std::string name = index.string();
  const detail::Json json =
      detail::parse_strict_json<WeightsError>(read_file(index, shard_index_limit), name);
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (map == json.end() || !map->is_object() || map->empty()) {
    throw WeightsError(name + ": expected an object 'weight_map' of keys and shards");
  }
  std::map<std::string, TensorFile> shards;
  TensorFile file;
  file.name = name;
  for (const auto& [key, value] : map->items()) {
    if (!value.is_string() || !detail::is_plain_name(value.get_ref<const std::string&>()) ||
        !value.get_ref<const std::string&>().ends_with(".safetensors")) {
      throw WeightsError(
          detail::text(name, ": the shard of '", printable_text(key),
                       "' is no safetensors file: ", printable_text(value.dump(-1, ' ', true))));
    }
    const auto& shard = value.get_ref<const std::string&>();
    auto found = shards.find(shard);
    if (found == shards.end()) {
      found = shards.emplace(shard, read_safetensors(index.parent_path() / shard)).first;
    }
    auto& tensors = found->second.tensors;
    const auto tensor = tensors.find(key);
    if (tensor == tensors.end()) {
      throw WeightsError(detail::text(name, ": '", printable_text(key), "' is not in its shard '",
                                      printable_text(shard), "'"));
    }
    file.tensors.emplace(key, std::move(tensor->second));
    tensors.erase(tensor);
  }
  for (auto& [shard, rest] : shards) {
    if (!rest.tensors.empty()) {
      throw WeightsError(detail::text(name, ": shard '", printable_text(shard), "' holds '",
                                      printable_text(rest.tensors.begin()->first),
                                      "', which the index does not list there"));
    }
    file.metadata.merge(rest.metadata);
    file.owners.insert(file.owners.end(), rest.owners.begin(), rest.owners.end());
  }
  return file;
}

}  // namespace homolog::inline v0_1
