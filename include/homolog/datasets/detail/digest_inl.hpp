// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of datasets/digest.hpp.

#include <cstdint>
#include <string>
#include <string_view>

#include "homolog/core/decimal_number.hpp"
#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/digest.hpp"

namespace homolog::inline v0_1::detail {

HOMOLOG_INLINE std::uint64_t stable_hash(std::string_view bytes, std::uint64_t start) {
  for (const char byte : bytes) {
    start = (start ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  }
  return start;
}

HOMOLOG_INLINE std::uint64_t stable_hash(const Dataset& dataset) {
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

HOMOLOG_INLINE std::string hash_text(std::uint64_t hash) {
  std::string digits(16, '0');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, hash >>= 4) {
    *digit = "0123456789abcdef"[hash & 15];
  }
  return digits;
}

}  // namespace homolog::inline v0_1::detail
