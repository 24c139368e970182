// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How a kernel runs, and the memory it works in.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "homolog/core/float_matrix.hpp"
#include "homolog/kernels/detail/thread_object.hpp"
#include "homolog/kernels/instruction_set.hpp"

namespace homolog::inline v0_1 {

/// How a kernel runs; none of these changes an answer, but for the last bit between instruction
/// sets with and without fused multiply-add.
struct KernelSetting {
  int threads = 1;                                       ///< CPU threads; below 1 counts as 1
  InstructionSet instructions = best_instruction_set();  ///< one that this machine has
};

/// Memory that kernels reuse: with one workspace a thread, calls after the first allocate nothing.
struct KernelWorkspace {
  /// What one of several threads works in.
  struct Slot {
    AlignedFloats queries;   ///< queries, packed for the kernel
    AlignedFloats cells;     ///< a few cells' features, packed for the kernel
    FloatMatrix similarity;  ///< similarities of one block of queries
  };
  std::vector<Slot> per_thread;      ///< one a thread, see room()
  std::vector<std::uint32_t> order;  ///< queries, sorted by the place of their peaks

  /// `count` slots or more.
  Slot* room(int count) {
    if (per_thread.size() < static_cast<std::size_t>(count))
      per_thread.resize(static_cast<std::size_t>(count));
    return per_thread.data();
  }
};

/// The calling thread's own workspace, which the functions take where none is given.
inline KernelWorkspace& thread_workspace() { return detail::thread_object<KernelWorkspace>(); }

}  // namespace homolog::inline v0_1
