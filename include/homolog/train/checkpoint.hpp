// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Checkpoint files: the tuned tensors, what training needs to go on, and a SHA-256 over both, in
/// one safetensors file that appears whole or not at all.

#include <torch/types.h>
#include <cstdint>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "homolog/core/files.hpp"
#include "homolog/train/tuned_weights.hpp"
#include "homolog/weights/tensor_file.hpp"

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
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Reads a checkpoint and verifies its digest.
///
/// @return tensors that are views of the mapped file
/// @throws FileError when it cannot be opened, WeightsError when it is no checkpoint or damaged
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// Step checkpoints of a folder, newest first.
///
/// @throws FileError when the folder cannot be read
std::vector<std::filesystem::path> step_checkpoints(const std::filesystem::path& folder);

/// The newest step checkpoint that is whole.
///
/// @param complain receives one line for each damaged checkpoint that was passed over
/// @throws WeightsError when the folder holds none that is whole, FileError
Checkpoint newest_checkpoint(const std::filesystem::path& folder,
                             const std::function<void(const std::string&)>& complain = {});

/// The checkpoint at a path: a file, or the best checkpoint of a folder, or its newest one when it
/// has no best.
///
/// @throws FileError, WeightsError
Checkpoint find_checkpoint(const std::filesystem::path& path,
                           const std::function<void(const std::string&)>& complain = {});

namespace detail {

/// A checkpoint's tensor with the shape and dtype it has to have.
torch::Tensor checkpoint_tensor(const Checkpoint& checkpoint, const std::string& key,
                                const torch::Tensor& like);

}  // namespace detail

/// Copies a checkpoint's tuned tensors into leaves of the same names.
///
/// @throws WeightsError naming the first tensor that is missing, has another shape or dtype, or is
///   none of those weights, before anything is changed
void restore(const TunedWeights& tuned, const Checkpoint& checkpoint);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/train/detail/checkpoint_inl.hpp"
#endif
