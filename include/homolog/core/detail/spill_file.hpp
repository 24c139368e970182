// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A temporary file for what memory has no room for.

#if defined(__linux__)
#include <sys/vfs.h>
#endif
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <system_error>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1::detail {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using SpillFile = std::unique_ptr<std::FILE, CloseFile>;

/// Whether the files of a folder lie in memory (tmpfs or ramfs), so that moving data to them frees
/// no memory.
inline bool lies_in_memory([[maybe_unused]] const std::string& folder) {
#if defined(__linux__)
  struct statfs system {};
  constexpr auto tmpfs = 0x01021994UL, ramfs = 0x858458F6UL;
  if (::statfs(folder.c_str(), &system) != 0) return false;
  const auto type = static_cast<unsigned long>(system.f_type) & 0xFFFFFFFFUL;
  return type == tmpfs || type == ramfs;
#else
  return false;
#endif
}

/// An open file without a name, gone when it is closed, in the first of TMPDIR, /var/tmp and /tmp
/// that is on a disk. std::tmpfile() would take /tmp, which many systems keep in memory.
///
/// @throws FileError with the reason why each of the folders cannot be used
inline SpillFile make_spill_file() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody here sets variables
  const char* wanted = std::getenv("TMPDIR");
  std::string reasons;
  for (const std::string& folder :
       {std::string(wanted ? wanted : ""), std::string("/var/tmp"), std::string("/tmp")}) {
    if (folder.empty()) continue;
    if (lies_in_memory(folder)) {
      reasons += text(reasons.empty() ? "" : ", ", folder, ": its files lie in memory");
      continue;
    }
    std::string path = folder + "/homolog-XXXXXX";
    const int descriptor = ::mkstemp(path.data());
    if (descriptor >= 0) {
      ::unlink(path.c_str());
      if (SpillFile file{::fdopen(descriptor, "w+b")}) return file;
    }
    const int reason = errno;
    if (descriptor >= 0) ::close(descriptor);
    reasons +=
        text(reasons.empty() ? "" : ", ", folder, ": ", std::generic_category().message(reason));
  }
  throw FileError(text("no temporary file can be made (", reasons,
                       "); set TMPDIR to a folder on a disk, or allow more memory"));
}

}  // namespace homolog::inline v0_1::detail
