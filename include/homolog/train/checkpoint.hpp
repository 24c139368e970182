// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Checkpoint files: the tuned tensors, what training needs to go on, and a SHA-256 over both, in
/// one safetensors file that appears whole or not at all.

#include <torch/types.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/train/sha256.hpp"
#include "homolog/train/tuned_weights.hpp"
#include "homolog/weights/safetensors.hpp"
#include "homolog/weights/tensor_file.hpp"
#include "homolog/weights/torch_tensors.hpp"

namespace homolog::inline v0_1 {

/// Content of a checkpoint.
///
/// Tensors are named `tuned/NAME` with NAME as in TunedWeights; a checkpoint to resume from also
/// has the optimiser's state, such as `adamw/exp_avg/NAME`, and `random`.
struct Checkpoint {
  nlohmann::ordered_json state;  ///< everything that is no tensor
  TensorFile tensors;            ///< named as above
};

namespace detail {

inline constexpr std::string_view checkpoint_extension = ".safetensors";
inline constexpr std::string_view step_prefix = "step-";
inline constexpr std::string_view best_checkpoint_name = "best.safetensors";

inline std::string checkpoint_digest(const std::string& state, const TensorFile& tensors) {
  Sha256 digest;
  digest.update(state);
  digest.update(tensors_sha256(tensors));
  return digest.hex();
}

/// `step-00000120.safetensors`: the names sort by step.
inline std::string step_checkpoint_name(std::int64_t step) {
  std::string digits = std::to_string(step);
  digits.insert(0, digits.size() < 8 ? 8 - digits.size() : 0, '0');
  return std::string(step_prefix) + digits + std::string(checkpoint_extension);
}

}  // namespace detail

/// Writes a checkpoint in one step: a temporary file beside the target, flushed, renamed over it,
/// and the folder flushed.
///
/// @throws FileError when a step fails; the target is as it was
inline void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  TensorFile file = checkpoint.tensors;
  const std::string state = json_text(checkpoint.state);
  file.metadata = {{"homolog.checkpoint", state},
                   {"homolog.sha256", detail::checkpoint_digest(state, file)}};
  write_safetensors(path, file);
}

/// Reads a checkpoint and verifies its digest.
///
/// @return tensors that are views of the mapped file
/// @throws FileError when it cannot be opened, WeightsError when it is no checkpoint or damaged
inline Checkpoint read_checkpoint(const std::filesystem::path& path) {
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

/// Step checkpoints of a folder, newest first.
///
/// @throws FileError when the folder cannot be read
inline std::vector<std::filesystem::path> step_checkpoints(const std::filesystem::path& folder) {
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

/// The newest step checkpoint that is whole.
///
/// @param complain receives one line for each damaged checkpoint that was passed over
/// @throws WeightsError when the folder holds none that is whole, FileError
inline Checkpoint newest_checkpoint(const std::filesystem::path& folder,
                                    const std::function<void(const std::string&)>& complain = {}) {
  const auto candidates = step_checkpoints(folder);
  for (const auto& path : candidates) {
    try {
      return read_checkpoint(path);
    } catch (const Error& error) {
      if (complain) complain(error.what());
    }
  }
  throw WeightsError(detail::text(folder.string(), ": none of its ", candidates.size(),
                                  " checkpoints is whole, so there is nothing to resume from"));
}

/// The checkpoint at a path: a file, or the best checkpoint of a folder, or its newest one when it
/// has no best.
///
/// @throws FileError, WeightsError
inline Checkpoint find_checkpoint(const std::filesystem::path& path,
                                  const std::function<void(const std::string&)>& complain = {}) {
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

/// A checkpoint's tensor with the shape and dtype it has to have.
inline torch::Tensor checkpoint_tensor(const Checkpoint& checkpoint, const std::string& key,
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

/// Copies a checkpoint's tuned tensors into leaves of the same names.
///
/// @throws WeightsError naming the first tensor that is missing, has another shape or dtype, or is
///   none of those weights, before anything is changed
inline void restore(const TunedWeights& tuned, const Checkpoint& checkpoint) {
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
