// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of train/checkpoint.hpp.

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/train/checkpoint.hpp"
#include "homolog/train/sha256.hpp"
#include "homolog/train/tuned_weights.hpp"
#include "homolog/weights/safetensors.hpp"
#include "homolog/weights/tensor_file.hpp"
#include "homolog/weights/torch_tensors.hpp"

namespace homolog::inline v0_1 {

namespace detail {

inline std::string checkpoint_digest(const std::string& state, const TensorFile& tensors) {
  Sha256 digest;
  digest.update(state);
  digest.update(tensors_sha256(tensors));
  return digest.hex();
}

}  // namespace detail

HOMOLOG_INLINE void write_checkpoint(const std::filesystem::path& path,
                                     const Checkpoint& checkpoint) {
  TensorFile file = checkpoint.tensors;
  const std::string state = json_text(checkpoint.state);
  file.metadata = {{"homolog.checkpoint", state},
                   {"homolog.sha256", detail::checkpoint_digest(state, file)}};
  write_safetensors(path, file);
}

HOMOLOG_INLINE Checkpoint read_checkpoint(const std::filesystem::path& path) {
  Checkpoint checkpoint{{}, read_safetensors(path)};
  const auto metadata = [&](const char* key) {
    const auto found = checkpoint.tensors.metadata.find(key);
    if (found == checkpoint.tensors.metadata.end()) {
      throw WeightsError(detail::text(path.string(), ": no checkpoint of homolog: metadata '", key,
                                      "' is absent"));
    }
    return found->second;
  };
  const std::string state = metadata("homolog.checkpoint"), expected = metadata("homolog.sha256");
  const std::string digest = detail::checkpoint_digest(state, checkpoint.tensors);
  if (digest != expected) {
    throw WeightsError(detail::text(path.string(), ": damaged: its content has the SHA-256 ",
                                    digest, ", expected ", expected));
  }
  checkpoint.state = nlohmann::ordered_json::parse(state, nullptr, /*allow_exceptions=*/false);
  if (!checkpoint.state.is_object() || checkpoint.state.value("format", 0) != 1) {
    throw WeightsError(path.string() + ": a checkpoint of another format, expected format 1");
  }
  return checkpoint;
}

HOMOLOG_INLINE std::vector<std::filesystem::path> step_checkpoints(
    const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(detail::step_prefix) && name.ends_with(detail::checkpoint_extension)) {
      found.push_back(entry->path());
    }
  }
  if (error) throw FileError(detail::text(folder.string(), ": ", error.message()));
  std::sort(found.rbegin(), found.rend());
  return found;
}

HOMOLOG_INLINE Checkpoint newest_checkpoint(
    const std::filesystem::path& folder, const std::function<void(const std::string&)>& complain) {
  const auto candidates = step_checkpoints(folder);
  for (const auto& path : candidates) {
    try {
      return read_checkpoint(path);
    } catch (const Error& error) {
      if (complain) complain(error.what());
    }
  }
  if (candidates.empty()) {
    throw WeightsError(folder.string() +
                       ": holds no checkpoint, such as step-00000100.safetensors");
  }
  throw WeightsError(
      detail::text(folder.string(), ": none of its ", candidates.size(), " checkpoints is whole"));
}

HOMOLOG_INLINE Checkpoint find_checkpoint(const std::filesystem::path& path,
                                          const std::function<void(const std::string&)>& complain) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    throw FileError(path.string() + ": no such checkpoint file or folder");
  }
  if (!std::filesystem::is_directory(path, error)) return read_checkpoint(path);
  const auto best = path / detail::best_checkpoint_name;
  if (std::filesystem::exists(best, error)) return read_checkpoint(best);
  return newest_checkpoint(path, complain);
}

namespace detail {

HOMOLOG_INLINE torch::Tensor checkpoint_tensor(const Checkpoint& checkpoint, const std::string& key,
                                               const torch::Tensor& like) {
  torch::Tensor stored = to_torch(checkpoint.tensors, key);
  if (stored.sizes() != like.sizes() || stored.scalar_type() != like.scalar_type()) {
    throw WeightsError(text(checkpoint.tensors.name, ": '", key, "' is ",
                            c10::toString(stored.scalar_type()), " ", shape_text(stored.sizes()),
                            ", expected ", c10::toString(like.scalar_type()), " ",
                            shape_text(like.sizes())));
  }
  return stored;
}

}  // namespace detail

HOMOLOG_INLINE void restore(const TunedWeights& tuned, const Checkpoint& checkpoint) {
  std::set<std::string> expected;
  for (const auto& weight : tuned.list) expected.insert("tuned/" + weight.name);
  for (const auto& [name, tensor] : checkpoint.tensors.tensors) {
    if (!name.starts_with("tuned/") || expected.contains(name)) continue;
    throw WeightsError(
        detail::text(checkpoint.tensors.name, ": holds '", name, "', which is not tuned here"));
  }
  for (const auto& weight : tuned.list) {
    detail::checkpoint_tensor(checkpoint, "tuned/" + weight.name, weight.value);
  }
  const at::NoGradGuard no_gradients;
  for (const auto& weight : tuned.list) {
    weight.value.detach().copy_(
        detail::checkpoint_tensor(checkpoint, "tuned/" + weight.name, weight.value));
  }
}

}  // namespace homolog::inline v0_1
