// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reading and writing `.safetensors`: an 8-byte header length, a JSON header, and the tensors'
/// bytes without gaps (huggingface/safetensors, README "Format"). The reader accepts nothing that
/// the reference reader refuses.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

/// Longest header that is read or written [bytes]; the reference's own limit.
inline constexpr std::uint64_t safetensors_header_limit = 100'000'000;

/// Parses a safetensors file that is in memory; the result's views lie in `bytes`.
///
/// @param name stands for the file in messages
/// @param owner keeps `bytes` alive; when it is null the caller must
/// @throws WeightsError that names the file, the tensor, what was expected and what was got
TensorFile parse_safetensors(std::span<const std::byte> bytes, std::string name,
                             std::shared_ptr<const void> owner = nullptr);

/// Parses a safetensors file that is in memory; see above.
inline TensorFile parse_safetensors(std::string_view bytes, std::string name) {
  return parse_safetensors(std::as_bytes(std::span(bytes.data(), bytes.size())), std::move(name));
}

/// Reads a `.safetensors` file. Its tensors are views of the file, which is mapped privately;
/// memory other than the pages that are read stays below 16 times the header's size.
///
/// @throws FileError when the file cannot be opened, WeightsError when it is malformed
TensorFile read_safetensors(const std::filesystem::path& path);

/// Gives the bytes of one tensor when the file is written; they must stay valid until the next
/// call.
using TensorBytes = std::function<std::span<const std::byte>(const std::string& key)>;

/// Writes a `.safetensors` file in one step, in the reference's order: widest dtype first, then by
/// key, header padded to 8 bytes, so that every tensor is aligned.
///
/// @param file metadata, dtypes and shapes; the views' bytes are not read
/// @param bytes called once a tensor in the file's order, so that no two need be in memory at once
/// @throws WeightsError when bytes do not fit their shape or a key cannot be stored,
///         FileError when the file cannot be written; the target is untouched in both cases
void write_safetensors(const std::filesystem::path& path, const TensorFile& file,
                       const TensorBytes& bytes);

/// Writes a `.safetensors` file from the bytes its views show, without copying them; see above.
inline void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  write_safetensors(path, file, [&file](const std::string& key) -> std::span<const std::byte> {
    return file.tensors.at(key).bytes;
  });
}

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/weights/detail/safetensors_inl.hpp"
#endif
