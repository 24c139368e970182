// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Digests of a data set, the same on every machine.

#include <cstdint>
#include <string>
#include <string_view>

#include "homolog/datasets/dataset.hpp"

namespace homolog::inline v0_1::detail {

/// FNV-1a, 64 bits: the same on every machine, unlike std::hash.
std::uint64_t stable_hash(std::string_view bytes, std::uint64_t start = 0xcbf29ce484222325u);

/// Hash of the names, categories, picture file names, keypoints and boxes of all pairs, to the last
/// digit, and of the norm that gives the threshold. The folders of the pictures do not count, so
/// that they may differ between machines.
std::uint64_t stable_hash(const Dataset& dataset);

/// Sixteen hexadecimal digits of a hash.
std::string hash_text(std::uint64_t hash);

}  // namespace homolog::inline v0_1::detail

#ifndef HOMOLOG_COMPILED
#include "homolog/datasets/detail/digest_inl.hpp"
#endif
