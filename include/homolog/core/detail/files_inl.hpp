// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of core/files.hpp.

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"

namespace homolog::inline v0_1 {

namespace detail {

HOMOLOG_INLINE bool is_plain_name(std::string_view name) {
  if (name.empty() || name == "." || name.find("..") != std::string_view::npos) return false;
  for (const char c : name) {
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

}  // namespace detail

HOMOLOG_INLINE std::string read_file(const std::filesystem::path& path, std::uintmax_t limit) {
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

}  // namespace detail

HOMOLOG_INLINE void remove_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::is_directory(std::filesystem::symlink_status(folder, error))) {
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      remove_folder(entry->path());
    }
  }
  std::filesystem::remove(folder, error);
}

HOMOLOG_INLINE void write_file_atomically(const std::filesystem::path& path,
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

}  // namespace homolog::inline v0_1
