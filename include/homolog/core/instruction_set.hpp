// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Which of the processor's instructions the kernels use, chosen at run time.

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

#include "homolog/core/errors.hpp"

/// Set where kernels for x86-64 are compiled in, by GCC's and Clang's function-level targets.
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define HOMOLOG_X86_KERNELS 1
#else
#define HOMOLOG_X86_KERNELS 0
#endif

/// Set where kernels for 64-bit ARM are compiled in; its vectors of 128 bits need no target.
#if defined(__AARCH64EL__) && defined(__ARM_NEON) && (defined(__GNUC__) || defined(__clang__))
#define HOMOLOG_NEON_KERNELS 1
#else
#define HOMOLOG_NEON_KERNELS 0
#endif

namespace homolog::inline v0_1 {

/// Instruction sets that have kernels of their own. The bits of a value include those of every set
/// that it extends, see includes(); sets of different kinds of processors share no bit.
enum class InstructionSet : unsigned {
  portable = 0,     ///< what the compiler may assume
  avx2 = 1,         ///< x86-64: AVX2 and FMA
  avx512 = 3,       ///< and AVX-512 F, BW, DQ, VL
  avx512_bf16 = 7,  ///< and its dot products of bfloat16
  neon = 8          ///< 64-bit ARM: vectors of 128 bits
};

/// All sets; each comes after those that it includes.
inline constexpr InstructionSet all_instruction_sets[] = {
    InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512,
    InstructionSet::avx512_bf16, InstructionSet::neon};

/// Whether `set` has all instructions of `part`.
constexpr bool includes(InstructionSet set, InstructionSet part) {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(part)) == static_cast<unsigned>(part);
}

/// The name `homolog info` and benchmarks print.
inline std::string_view instruction_set_name(InstructionSet set) {
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

/// Whether this processor and operating system run a family.
inline bool is_supported(InstructionSet set) {
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

/// Refuses a set that this machine does not have, such as one of another kind of processor.
///
/// @throws SettingError naming the set
inline void require_supported(InstructionSet set) {
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

/// The process's setting; the largest family, or the environment's, until it is set.
inline std::atomic<InstructionSet>& active_set() {
  // The first use comes before threads of ours exist.
  // NOLINTNEXTLINE(concurrency-mt-unsafe)
  static std::atomic active(chosen_instruction_set(std::getenv("HOMOLOG_INSTRUCTION_SET")));
  return active;
}

}  // namespace detail

/// The family that kernels of this process use where a call names no other: the largest that is
/// supported, or the one that the environment variable HOMOLOG_INSTRUCTION_SET names, which is
/// looked up once, or the one that set_active_instruction_set() was given.
///
/// @throws SettingError when the environment's name is unknown or not supported
inline InstructionSet active_instruction_set() {
  return detail::active_set().load(std::memory_order_relaxed);
}

/// Sets the family for all calls of this process that begin later and name no other.
///
/// @throws SettingError when this machine does not have it
inline void set_active_instruction_set(InstructionSet set) {
  require_supported(set);
  detail::active_set().store(set, std::memory_order_relaxed);
}

}  // namespace homolog::inline v0_1
