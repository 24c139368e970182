// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace homolog::test {

/// Changes a byte string in one to four random places: bits, bytes, extreme numbers, insertions,
/// deletions, copies of other places, and sometimes a cut.
inline std::string mutated(std::string bytes, std::mt19937_64& random) {
  const auto below = [&random](std::size_t bound) {
    return bound == 0 ? 0 : static_cast<std::size_t>(random() % bound);
  };
  const auto rounds = 1 + below(4);
  for (std::size_t round = 0; round < rounds && !bytes.empty(); ++round) {
    const std::size_t at = below(bytes.size());
    switch (below(8)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1u << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(random());
        break;
      case 2: {
        const std::size_t width = std::size_t{1} << below(4);
        const char fill = below(2) == 0 ? '\xff' : '\0';
        for (std::size_t i = at; i < at + width && i < bytes.size(); ++i) bytes[i] = fill;
        break;
      }
      case 3:
        bytes.insert(at, 1 + below(4), static_cast<char>(random()));
        break;
      case 4:
        bytes.erase(at, 1 + below(8));
        break;
      case 5:
        bytes.insert(at, bytes.substr(below(bytes.size()), below(32)));
        break;
      case 6: {
        const auto piece = bytes.substr(below(bytes.size()), below(16));
        bytes.replace(at, piece.size(), piece);
        break;
      }
      default:
        if (below(10) == 0) bytes.resize(at);
        break;
    }
  }
  return bytes;
}

}  // namespace homolog::test
