// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How much memory a process may still take.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

namespace homolog::inline v0_1::detail {

/// The first number of a file; nothing where there is none, such as "max".
inline std::optional<std::uint64_t> number_in(const std::filesystem::path& path) {
  std::ifstream stream(path);
  std::uint64_t value = 0;
  return stream >> value ? std::optional(value) : std::nullopt;
}

/// What a control group lets its processes still take [bytes]; nothing where it sets no limit.
///
/// @param folder of the group
inline std::optional<std::uint64_t> left_in_group(const std::filesystem::path& folder) {
  for (const auto& [most, used] : {std::pair{"memory.max", "memory.current"},
                                   {"memory.limit_in_bytes", "memory.usage_in_bytes"}}) {
    const auto limit = number_in(folder / most), current = number_in(folder / used);
    if (!limit || !current) continue;
    // Pages of files count as used and are given back when they are needed.
    std::uint64_t files = 0, value = 0;
    std::ifstream stream(folder / "memory.stat");
    for (std::string key; stream >> key >> value;) {
      if (key == "inactive_file" || key == "total_inactive_file") files = value;
    }
    return *limit - (std::min)(*limit, *current - (std::min)(*current, files));
  }
  return std::nullopt;
}

/// Memory that can be taken without swapping [bytes]: what the system has available, or less where
/// the process's control group (a container's limit) says so; nothing where neither is known.
inline std::optional<std::uint64_t> available_memory() {
  std::optional<std::uint64_t> available;
  std::ifstream system("/proc/meminfo");
  for (std::string key; system >> key;) {
    std::uint64_t kibibytes = 0;
    if (key == "MemAvailable:" && system >> kibibytes) available = 1024 * kibibytes;
  }
  const auto take = [&](std::optional<std::uint64_t> left) {
    if (left) available = available ? (std::min)(*available, *left) : *left;
  };
  const std::filesystem::path root = "/sys/fs/cgroup";
  take(left_in_group(root));  // a container sees its own group here
  take(left_in_group(root / "memory"));
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // 0::/path or 9:memory:/path
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers.find("memory") == std::string::npos) continue;
    std::filesystem::path group = line.substr(second + 1);
    const std::filesystem::path base = controllers.empty() ? root : root / "memory";
    for (; group.has_relative_path(); group = group.parent_path()) {
      take(left_in_group(base / group.relative_path()));
    }
  }
  return available;
}

}  // namespace homolog::inline v0_1::detail
