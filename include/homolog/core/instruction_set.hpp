// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Which of the processor's instructions the kernels use, chosen at run time.

#include <atomic>
#include <string_view>

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
std::string_view instruction_set_name(InstructionSet set);

/// Whether this processor and operating system run a family.
bool is_supported(InstructionSet set);

/// Refuses a set that this machine does not have, such as one of another kind of processor.
///
/// @throws SettingError naming the set
void require_supported(InstructionSet set);

namespace detail {

/// The process's setting; the largest family, or the environment's, until it is set.
std::atomic<InstructionSet>& active_set();

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

#ifndef HOMOLOG_COMPILED
#include "homolog/core/detail/instruction_set_inl.hpp"
#endif
