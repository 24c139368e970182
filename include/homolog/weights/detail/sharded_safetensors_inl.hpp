// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of weights/sharded_safetensors.hpp.

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/detail/strict_json.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/weights/safetensors.hpp"
#include "homolog/weights/sharded_safetensors.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE TensorFile read_sharded_safetensors(const std::filesystem::path& index) {
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
