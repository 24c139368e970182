// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Values that a pickle builds, the limits of their number and size, and the check of their
/// nesting.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1::detail {

/// The limits of a pickle. With the defaults, memory stays below about 20 times the longest pickle.
struct PickleLimits {
  std::uint64_t bytes = 64u << 20;
  std::size_t open_marks = 1'000;      ///< containers under construction at once
  std::size_t stack = 100'000;         ///< values; writers batch 1000 dict items on the stack
  std::size_t memo = 10'000'000;       ///< entries
  std::size_t containers = 8'000'000;  ///< tuples, lists and dicts
  std::size_t contained = 32'000'000;  ///< values inside them
  std::size_t nesting = 64;            ///< containers within containers
  std::size_t key_length = 4'096;      ///< [bytes] of a dict's key
};

enum class PickleKind : std::uint8_t {
  none,
  boolean,
  integer,
  real,
  string,   ///< data: offset and length in the pickle
  tuple,    ///< data: node
  list,     ///< data: node
  dict,     ///< data: node; items alternate key, value
  global,   ///< data: the host's number
  storage,  ///< data: the host's number
  tensor,   ///< data: the host's number
  opaque    ///< an object that is ignored, such as a device
};

constexpr std::string_view pickle_kind_name(PickleKind kind) {
  constexpr std::array<std::string_view, 12> names{
      "None",   "a bool", "an integer", "a real number", "a string", "a tuple",
      "a list", "a dict", "a global",   "a storage",     "a tensor", "an object"};
  return names[static_cast<std::size_t>(kind)];
}

/// One value, trivially copied; containers live in the machine, so cycles cost nothing.
struct PickleValue {
  PickleKind kind = PickleKind::none;
  std::int64_t data = 0;
};

using PickleItems = std::vector<PickleValue>;

/// A tuple, list or dict.
struct PickleNode {
  PickleKind kind;
  std::uint8_t colour = 0;  ///< of check_nesting(): 0 new, 1 on the path, 2 done
  std::uint16_t depth = 1;  ///< containers on the longest way down
  PickleItems items;
};

/// Visits, without recursion, all values that a value contains, and refuses containers that contain
/// themselves or are nested too deep.
///
/// @param limit containers within containers
/// @param fail throws what it is given as the words of an error
template <class Fail>
void check_nesting(std::vector<PickleNode>& nodes, PickleValue root, std::size_t limit,
                   const Fail& fail) {
  const auto node_of = [&](PickleValue value) -> PickleNode* {
    const bool container = value.kind == PickleKind::tuple || value.kind == PickleKind::list ||
                           value.kind == PickleKind::dict;
    return container ? &nodes[static_cast<std::size_t>(value.data)] : nullptr;
  };
  const auto require_depth = [&](std::size_t depth) {
    if (depth > limit) fail("more than ", limit, " nested containers");
  };
  const auto deepen = [&](PickleNode& parent, const PickleNode& child) {
    parent.depth =
        std::max<std::uint16_t>(parent.depth, static_cast<std::uint16_t>(child.depth + 1));
    require_depth(parent.depth);
  };
  struct Step {
    PickleNode* node;
    std::size_t next;
  };
  std::vector<Step> path;
  if (PickleNode* node = node_of(root)) path.push_back({node, 0});
  while (!path.empty()) {
    auto& [node, next] = path.back();
    node->colour = 1;
    require_depth(path.size());
    if (next < node->items.size()) {
      PickleNode* child = node_of(node->items[next++]);
      if (child == nullptr) continue;
      if (child->colour == 1) fail("a container contains itself");
      if (child->colour == 0) {
        path.push_back({child, 0});
        continue;
      }
      deepen(*node, *child);
      continue;
    }
    node->colour = 2;
    PickleNode* done = node;
    path.pop_back();
    if (!path.empty()) deepen(*path.back().node, *done);
  }
}

}  // namespace homolog::inline v0_1::detail
