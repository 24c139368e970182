// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Whole files in and out: reading with a cap that is checked before memory is taken, and writing
/// that replaces the target in one step or leaves it as it was.

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// True for a name that is one component of a path: no slash, backslash, "..", control character.
inline bool is_plain_name(std::string_view name) {
  if (name.empty() || name == "." || name.find("..") != std::string_view::npos) return false;
  for (const char c : name) {
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

}  // namespace detail

/// Reads a whole regular file into memory.
///
/// @param limit [bytes] larger files are refused before memory is taken
/// @throws FileError when the file is absent, no regular file, unreadable or above the limit
inline std::string read_file(const std::filesystem::path& path, std::uintmax_t limit) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw FileError(detail::text(path.string(), ": no such file, or not a regular file"));
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) throw FileError(detail::text(path.string(), ": ", error.message()));
  if (size > limit) {
    throw FileError(detail::text(path.string(), ": ", size, " bytes, the limit is ", limit));
  }
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(size, '\0');
  if (!stream || !stream.read(bytes.data(), static_cast<std::streamsize>(size))) {
    throw FileError(detail::text(path.string(), ": cannot be read"));
  }
  return bytes;
}

namespace detail {

/// Flushes a folder's entries to disk, so that a rename in it outlives a power cut.
///
/// @return 0, or the system's error; a file system that knows no such flush is no error
inline int flush_folder(const std::filesystem::path& folder) {
  const int descriptor =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno;
  const int error = ::fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
  ::close(descriptor);
  return error;
}

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
inline void remove_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::is_directory(std::filesystem::symlink_status(folder, error))) {
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      remove_folder(entry->path());
    }
  }
  std::filesystem::remove(folder, error);
}

/// Writes a file so that readers see the old content or the new one, never a part, even after a
/// power cut: a temporary file in the same folder is filled, flushed to disk and renamed over the
/// target, then the folder is flushed. When several writers write at once, the content of the last
/// one stays.
///
/// @param fill receives the open temporary file; what it throws leaves the target untouched
/// @throws FileError when a step fails, with the path and the system's reason
inline void write_file_atomically(const std::filesystem::path& path,
                                  const std::function<void(std::FILE*)>& fill) {
  // Renaming a file over a device such as /dev/null would remove the device for the whole system.
  std::error_code unknown;
  const auto status = std::filesystem::status(path, unknown);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw FileError(
        detail::text(path.string(), ": is not a regular file, and only those are replaced"));
  }
  // Each writer needs a temporary name of its own: mode "x" fails when another thread has taken the
  // name, or a process with the same id on another machine that shares the disk.
  static std::atomic<unsigned> number{0};
  std::string temporary;
  std::FILE* file = nullptr;
  do {
    temporary = detail::text(path.string(), ".tmp", ::getpid(), "_", number++);
    file = std::fopen(temporary.c_str(), "wbx");
  } while (file == nullptr && errno == EEXIST);
  if (file == nullptr) {
    throw FileError(
        detail::text(path.string(), ": cannot be written: ", detail::system_error_text(errno)));
  }
  const auto fail = [&](const char* step) {
    const std::string reason = detail::system_error_text(errno);
    std::remove(temporary.c_str());
    throw FileError(detail::text(path.string(), ": ", step, ": ", reason));
  };
  try {
    fill(file);
  } catch (...) {
    std::fclose(file);
    std::remove(temporary.c_str());
    throw;
  }
  const bool flushed =
      std::ferror(file) == 0 && std::fflush(file) == 0 && ::fsync(fileno(file)) == 0;
  if (std::fclose(file) != 0 || !flushed) fail("cannot be written");
  if (std::rename(temporary.c_str(), path.c_str()) != 0) fail("cannot be replaced");
  if (const int error = detail::flush_folder(path.parent_path())) {
    throw FileError(detail::text(path.string(), ": written, but its folder cannot be flushed: ",
                                 detail::system_error_text(error)));
  }
}

/// Writes bytes in one step; see the overload above.
inline void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  write_file_atomically(
      path, [bytes](std::FILE* file) { std::fwrite(bytes.data(), 1, bytes.size(), file); });
}

}  // namespace homolog::inline v0_1
