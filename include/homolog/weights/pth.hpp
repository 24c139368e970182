// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reading a state dict from torch.save's zip format (torch >= 1.6) without torch and without
/// executing anything from the file.

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "homolog/weights/detail/pickle.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// First bytes of a zip archive, and of torch.save's format before 1.6.
inline constexpr std::string_view zip_magic = "PK\x03\x04";
inline constexpr std::string_view legacy_torch_magic =
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

inline bool starts_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

}  // namespace detail

/// Parses a torch.save archive that is in memory; contiguous tensors are views of `bytes`, others
/// are copied (64 MiB plus 4 times the archive's size at most).
///
/// @param name stands for the file in messages
/// @param owner keeps `bytes` alive; when it is null the caller must
/// @throws WeightsError when the archive or its pickle is malformed, over a limit, or names a
///         global that no state dict needs: `refused global "os.system"`
TensorFile parse_pth(std::span<const std::byte> bytes, const std::string& name,
                     std::shared_ptr<const void> owner = nullptr);

/// Parses a torch.save archive that is in memory; see above.
inline TensorFile parse_pth(std::string_view bytes, const std::string& name) {
  return parse_pth(std::as_bytes(std::span(bytes.data(), bytes.size())), name);
}

/// Reads a `.pth` / `.pt` file of torch.save; its contiguous tensors are views of the file, which
/// is mapped privately. Wrappers 'model', 'state_dict' and 'teacher' are opened; see parse_pth().
///
/// @throws FileError when the file cannot be opened, WeightsError when it is malformed or refused
TensorFile read_pth(const std::filesystem::path& path);

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/weights/detail/pth_inl.hpp"
#endif
