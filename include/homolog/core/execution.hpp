// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How a kernel or a matcher runs: on how many threads, in which memory, with which instructions.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "homolog/core/detail/thread_object.hpp"
#include "homolog/core/float_matrix.hpp"
#include "homolog/core/instruction_set.hpp"
#include "homolog/core/worker_pool.hpp"

namespace homolog::inline v0_1 {

/// Memory that kernels reuse from call to call, so that later calls need not allocate it again.
struct KernelWorkspace {
  /// The working memory of one thread.
  struct Slot {
    AlignedFloats queries;   ///< queries, packed for the kernel
    AlignedFloats cells;     ///< a few cells' features, packed for the kernel
    FloatMatrix similarity;  ///< similarities of one block of queries
    FloatMatrix scratch;     ///< a matcher's working memory during one call
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

/// How a call runs. None of this changes an answer, except the last bit between instruction sets
/// with and without fused multiply-add.
///
/// Every kernel takes one, and a matcher may: `operator()(const SimilarityMap&, const Execution&)`
/// and `match(const MatchProblem&, const Execution&)`.
struct Execution {
  int threads = 1;  ///< CPU threads; below 1 counts as 1
  /// The instruction set to use; it must be one that this machine has.
  InstructionSet instructions = active_instruction_set();
  /// Two calls must not use it at the same time; null means the calling thread's own workspace.
  /// With several threads the threads' own workspaces are used as well.
  KernelWorkspace* workspace = nullptr;
  WorkerPool* pool = nullptr;  ///< whose threads help; null is the process's pool

  /// The workspace that was given, or the calling thread's own.
  KernelWorkspace& memory() const { return workspace != nullptr ? *workspace : thread_workspace(); }
  /// The pool that was given, or the process's.
  WorkerPool& workers() const { return pool != nullptr ? *pool : worker_pool(); }
  /// The same execution on one thread and with the workspace `own`, for one thread's part of the
  /// work.
  Execution alone(KernelWorkspace& own) const { return {1, instructions, &own, pool}; }
};

}  // namespace homolog::inline v0_1
