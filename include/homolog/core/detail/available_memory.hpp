// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How much memory a process may still take.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "homolog/core/detail/requirements.hpp"

// Files are read with C's functions: <fstream> and <filesystem> would take a quarter of the compile
// time of a source that includes this header.

namespace homolog::inline v0_1::detail {

/// Calls a function with each line of a file, without the newline; never when the file cannot be
/// read.
template <typename Take>
void read_lines(const std::string& path, const Take& take) {
  struct File {
    std::FILE* handle;
    ~File() {
      if (handle != nullptr) std::fclose(handle);
    }
  };
  const File file{std::fopen(path.c_str(), "r")};
  if (file.handle == nullptr) return;
  std::string line;
  for (int letter = std::fgetc(file.handle); letter != EOF; letter = std::fgetc(file.handle)) {
    if (letter != '\n') {
      line += static_cast<char>(letter);
      continue;
    }
    take(line);
    line.clear();
  }
  if (!line.empty()) take(line);
}

/// The number that a text begins with, after blanks; nothing where there is none, such as "max".
inline std::optional<std::uint64_t> leading_number(const char* text) {
  char* end = nullptr;
  const auto value = std::strtoull(text, &end, 10);
  return end == text ? std::nullopt : std::optional<std::uint64_t>(value);
}

/// The number that follows `word` in the first line of a file that begins with it; nothing when
/// there is no such line.
///
/// @param word "" for a file that is one number
inline std::optional<std::uint64_t> number_after(const std::string& path, const std::string& word) {
  std::optional<std::uint64_t> number;
  read_lines(path, [&](const std::string& line) {
    if (!number && line.starts_with(word)) number = leading_number(line.c_str() + word.size());
  });
  return number;
}

/// The memory [bytes] that the processes of a control group may still take; nothing when it sets no
/// limit.
///
/// @param folder of the group
inline std::optional<std::uint64_t> left_in_group(const std::string& folder) {
  for (const bool second : {true, false}) {  // versions of control groups
    const auto limit =
        number_after(folder + (second ? "/memory.max" : "/memory.limit_in_bytes"), "");
    const auto used =
        number_after(folder + (second ? "/memory.current" : "/memory.usage_in_bytes"), "");
    if (!limit || !used) continue;
    // Cached file pages count as used, but the system frees them when memory is needed.
    const char* key = second ? "inactive_file " : "total_inactive_file ";
    const auto files = number_after(folder + "/memory.stat", key).value_or(0);
    return *limit - (std::min)(*limit, *used - (std::min)(*used, files));
  }
  return std::nullopt;
}

/// Memory that can be taken without swapping [bytes]: what the system has available, or less where
/// the process's control group (a container's limit) says so; nothing where neither is known.
inline std::optional<std::uint64_t> available_memory() {
  auto available = number_after("/proc/meminfo", "MemAvailable:");
  if (available) *available *= 1024;
  const auto take = [&](std::optional<std::uint64_t> left) {
    if (left) available = available ? (std::min)(*available, *left) : *left;
  };
  const std::string root = "/sys/fs/cgroup";
  take(left_in_group(root));  // a container sees its own group here
  take(left_in_group(root + "/memory"));
  read_lines("/proc/self/cgroup", [&](const std::string& line) {  // 0::/path or 9:memory:/path
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) return;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers.find("memory") == std::string::npos) return;
    std::string group = line.substr(second + 1);
    const std::string base = root + (controllers.empty() ? "" : "/memory");
    while (group.size() > 1 && group[0] == '/') {  // the group and those above it
      take(left_in_group(base + group));
      group.erase(group.rfind('/'));
    }
  });
  return available;
}

}  // namespace homolog::inline v0_1::detail
