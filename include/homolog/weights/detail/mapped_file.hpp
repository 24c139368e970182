// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Maps a whole file into memory without reading it. The mapping is private (changes stay in this
/// process), and pages that are no longer needed can be released.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "homolog/core/errors.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1::detail {

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
  const auto fail = [&path](const std::string& reason) {
    throw FileError(text(path.string(), ": cannot be read: ", reason));
  };
  struct Descriptor {
    int number;
    ~Descriptor() {
      if (number >= 0) ::close(number);
    }
    // O_NONBLOCK: opening a pipe must not wait for its writer.
  } file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.number < 0) fail(system_error_text(errno));
  struct stat status {};
  if (::fstat(file.number, &status) != 0) fail(system_error_text(errno));
  if (!S_ISREG(status.st_mode)) fail("not a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return {};  // mmap refuses length 0
  void* address =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file.number, 0);
  if (address == MAP_FAILED) fail(system_error_text(errno));
  std::shared_ptr<const void> owner(address, [size](void* start) { ::munmap(start, size); });
  return {{static_cast<const std::byte*>(address), size}, std::move(owner)};
}

/// Marks the tensors of a parsed file whose bytes lie in its mapping.
inline void mark_mapped(TensorFile& file, const MappedFile& mapped) {
  const auto* begin = mapped.bytes.data();
  const auto* end = begin + mapped.bytes.size();
  for (auto& [key, view] : file.tensors) {
    view.mapped = !view.bytes.empty() && view.bytes.data() >= begin && view.bytes.data() < end;
  }
}

/// Calls madvise on the whole pages of a piece of memory; those shared with neighbours are left
/// out.
inline void advise_pages(const void* data, std::size_t bytes, int advice) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const auto first = (begin + page - 1) / page * page;
  const auto last = (begin + bytes) / page * page;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): whole pages are numbers
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, advice);
}

/// Lets the system take back the pages of a tensor that was copied out of its file, so that a model
/// and the file it came from are not both resident. Bytes that are read again are read from the
/// file again.
inline void release_pages(const TensorView& view) {
  if (view.mapped) advise_pages(view.bytes.data(), view.bytes.size(), MADV_DONTNEED);
}

/// The same for memory that may or may not be a mapping of a file; in both cases no content is
/// lost. It has no effect on systems that do not support it.
inline void page_out(const void* data, std::size_t bytes) {
#if defined(MADV_PAGEOUT)
  advise_pages(data, bytes, MADV_PAGEOUT);
#else
  static_cast<void>(data);
  static_cast<void>(bytes);
#endif
}

}  // namespace homolog::inline v0_1::detail
