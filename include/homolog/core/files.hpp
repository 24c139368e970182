// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Whole files in and out: reading with a cap that is checked before memory is taken, and writing
/// that replaces the target in one step or leaves it as it was.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// True for a name that is one component of a path: no slash, backslash, "..", control character.
bool is_plain_name(std::string_view name);

}  // namespace detail

/// Reads a whole regular file into memory.
///
/// @param limit [bytes] larger files are refused before memory is taken
/// @throws FileError when the file is absent, no regular file, unreadable or above the limit
std::string read_file(const std::filesystem::path& path, std::uintmax_t limit);

namespace detail {

/// Removes a file where it is there.
///
/// @throws FileError with the path and the system's reason
inline void remove_file(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) throw FileError(text(path.string(), ": cannot be removed: ", error.message()));
}

}  // namespace detail

/// Makes a folder and those above it where they are absent.
///
/// @throws FileError with the path and the system's reason
inline void make_folders(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw FileError(detail::text(folder.string(), ": cannot be made: ", error.message()));
}

/// Removes a folder with all in it, as far as that can be; links are removed, not followed.
///
/// std::filesystem::remove_all() crashes where LibTorch's CUDA packages are linked: their
/// libtorch.so (seen in 2.11) exports a remove_all() of its own that calls a function it lacks.
void remove_folder(const std::filesystem::path& folder);

/// Writes a file so that readers see the old content or the new one, never a part, even after a
/// power cut: a temporary file in the same folder is filled, flushed to disk and renamed over the
/// target, then the folder is flushed. When several writers write at once, the content of the last
/// one stays.
///
/// @param fill receives the open temporary file; what it throws leaves the target untouched
/// @throws FileError when a step fails, with the path and the system's reason
void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(std::FILE*)>& fill);

/// Writes bytes in one step; see the overload above.
inline void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  write_file_atomically(
      path, [bytes](std::FILE* file) { std::fwrite(bytes.data(), 1, bytes.size(), file); });
}

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/core/detail/files_inl.hpp"
#endif
