// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "homolog/core/instruction_set.hpp"

namespace homolog::test {

/// The instruction sets of this machine.
inline std::vector<InstructionSet> supported_sets() {
  std::vector<InstructionSet> sets;
  for (const auto set : all_instruction_sets) {
    if (is_supported(set)) sets.push_back(set);
  }
  return sets;
}

}  // namespace homolog::test
