// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Digests of a data set, the same on every machine.

#include <cstdint>
#include <string>
#include <string_view>

#include "homolog/core/decimal_number.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/datasets/dataset.hpp"

namespace homolog::inline v0_1::detail {

/// FNV-1a, 64 bits: the same on every machine, unlike std::hash.
inline std::uint64_t stable_hash(std::string_view bytes,
                                 std::uint64_t start = 0xcbf29ce484222325u) {
  for (const char byte : bytes) {
    start = (start ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  }
  return start;
}

/// Hash of the names, categories, picture file names, keypoints and boxes of all pairs, to the last
/// digit, and of the norm that gives the threshold. The folders of the pictures do not count, so
/// that they may differ between machines.
inline std::uint64_t stable_hash(const Dataset& dataset) {
  std::uint64_t hash = stable_hash(text(dataset.name, '|', static_cast<int>(dataset.norm)));
  for (const Pair& pair : dataset.pairs) {
    std::string line = text(pair.name, '|', pair.category, '|', pair.flip, '|',
                            pair.source.filename().string(), '|', pair.target.filename().string());
    for (const auto* points : {&pair.source_keypoints, &pair.target_keypoints}) {
      line += text('|', points->size());
      for (const auto& point : *points) {
        line += text('|', decimal_text(point.x), ',', decimal_text(point.y));
      }
    }
    if (const auto& box = pair.target_box) {
      line += text("|box|", decimal_text(box->x1), ',', decimal_text(box->y1), ',',
                   decimal_text(box->x2), ',', decimal_text(box->y2));
    }
    hash = stable_hash(line, hash);
  }
  return hash;
}

/// Sixteen hexadecimal digits of a hash.
inline std::string hash_text(std::uint64_t hash) {
  std::string digits(16, '0');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, hash >>= 4) {
    *digit = "0123456789abcdef"[hash & 15];
  }
  return digits;
}

}  // namespace homolog::inline v0_1::detail
