// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of core/instruction_set.hpp.

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/instruction_set.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE std::string_view instruction_set_name(InstructionSet set) {
  switch (set) {
    case InstructionSet::portable:
      return "portable";
    case InstructionSet::avx2:
      return "avx2";
    case InstructionSet::avx512:
      return "avx512";
    case InstructionSet::avx512_bf16:
      return "avx512_bf16";
    case InstructionSet::neon:
      return "neon";
  }
  throw SettingError("instruction_set_name: unknown set");
}

HOMOLOG_INLINE bool is_supported(InstructionSet set) {
#if HOMOLOG_X86_KERNELS
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  if (set == InstructionSet::avx2) return avx2;
  if (set == InstructionSet::avx512) return avx512;
  if (set == InstructionSet::avx512_bf16) return avx512 && __builtin_cpu_supports("avx512bf16");
#endif
  if (HOMOLOG_NEON_KERNELS == 1 && set == InstructionSet::neon) return true;
  return set == InstructionSet::portable;
}

HOMOLOG_INLINE void require_supported(InstructionSet set) {
  if (!is_supported(set)) {
    throw SettingError(std::string("instruction set ").append(instruction_set_name(set)) +
                       ": this machine does not have it");
  }
}

namespace detail {

/// The largest family that is supported, or the one that is named.
///
/// @param named by HOMOLOG_INSTRUCTION_SET, or null
/// @throws SettingError when that name is unknown or not supported
inline InstructionSet chosen_instruction_set(const char* named) {
  InstructionSet largest = InstructionSet::portable;
  std::string names;
  for (const auto set : all_instruction_sets) {
    if (named != nullptr && instruction_set_name(set) == named) {
      if (is_supported(set)) return set;
      throw SettingError(
          detail::text("HOMOLOG_INSTRUCTION_SET is ", named, ", which this machine does not have"));
    }
    if (is_supported(set)) largest = set;
    names.append(names.empty() ? "" : ", ").append(instruction_set_name(set));
  }
  if (named != nullptr) {
    throw SettingError(std::string("HOMOLOG_INSTRUCTION_SET is '") + named + "', expected one of " +
                       names);
  }
  return largest;
}

HOMOLOG_INLINE std::atomic<InstructionSet>& active_set() {
  // The first use comes before threads of ours exist.
  // NOLINTNEXTLINE(concurrency-mt-unsafe)
  static std::atomic active(chosen_instruction_set(std::getenv("HOMOLOG_INSTRUCTION_SET")));
  return active;
}

}  // namespace detail

}  // namespace homolog::inline v0_1
