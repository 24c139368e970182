// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <string>

namespace homolog::test {

inline int& skips() {
  static int count = 0;
  return count;
}

/// Says in one line why a test case cannot run here; ctest counts the case as skipped.
/// Usage: `if (!present) return skip("no ... here");`
inline void skip(const std::string& reason) {
  ++skips();
  std::printf("[skipped] %s\n", reason.c_str());
}

}  // namespace homolog::test
