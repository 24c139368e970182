// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of weights/read_weights.hpp.

#include <filesystem>
#include <string>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/weights/detail/mapped_file.hpp"
#include "homolog/weights/pth.hpp"
#include "homolog/weights/read_weights.hpp"
#include "homolog/weights/safetensors.hpp"
#include "homolog/weights/sharded_safetensors.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

inline TensorFile parse_weights(const MappedFile& mapped, const std::filesystem::path& path) {
  const auto bytes = mapped.bytes;
  const std::string extension = path.extension().string();
  if (extension == ".pt2") {
    throw WeightsError(path.string() + ": a .pt2 package holds native code and is never loaded");
  }
  if (starts_with(bytes, zip_magic) || starts_with(bytes, legacy_torch_magic)) {
    return parse_pth(bytes, path.string(), mapped.owner);
  }
  if (starts_with(bytes, "version https://git-lfs")) {
    throw WeightsError(path.string() + ": a Git LFS pointer, not the weights; run git lfs pull");
  }
  const bool header = bytes.size() > 8 && static_cast<char>(bytes[8]) == '{';
  if (header || extension == ".safetensors") {
    return parse_safetensors(bytes, path.string(), mapped.owner);
  }
  if (extension == ".pth" || extension == ".pt" || extension == ".bin") {
    return parse_pth(bytes, path.string(), mapped.owner);
  }
  throw WeightsError(path.string() + ": neither a .safetensors nor a torch.save file");
}

}  // namespace detail

HOMOLOG_INLINE TensorFile read_weights(const std::filesystem::path& path) {
  if (path.string().ends_with(shard_index_suffix)) return read_sharded_safetensors(path);
  const detail::MappedFile mapped = detail::map_file(path);
  TensorFile file = detail::parse_weights(mapped, path);
  detail::mark_mapped(file, mapped);
  return file;
}

}  // namespace homolog::inline v0_1
