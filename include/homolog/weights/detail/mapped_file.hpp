// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A whole file in memory without reading it: mapped read-only and private.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>

#include "homolog/core/errors.hpp"

namespace homolog::detail {

/// Bytes of a file; they stay valid as long as `owner` lives.
struct MappedFile {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// Maps a regular file. The file must not be shortened while it is in use: the system answers
/// a read behind the new end with a signal.
///
/// @throws FileError when the file is absent, not regular or cannot be mapped
inline MappedFile map_file(const std::filesystem::path& path) {
  const auto fail = [&path](const char* reason) {
    throw FileError(text(path.string(), ": cannot be read: ", reason));
  };
  struct Descriptor {
    int number;
    ~Descriptor() {
      if (number >= 0) ::close(number);
    }
    // O_NONBLOCK: opening a pipe must not wait for its writer.
  } file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.number < 0) fail(std::strerror(errno));
  struct stat status {};
  if (::fstat(file.number, &status) != 0) fail(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) fail("not a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return {};  // mmap refuses length 0
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (address == MAP_FAILED) fail(std::strerror(errno));
  std::shared_ptr<const void> owner(address, [size](void* start) { ::munmap(start, size); });
  return {{static_cast<const std::byte*>(address), size}, std::move(owner)};
}

}  // namespace homolog::detail
