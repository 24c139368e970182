// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How a kernel runs, and the memory it works in.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/detail/thread_object.hpp"
#include "homolog/kernels/instruction_set.hpp"

namespace homolog::inline v0_1 {

/// How a kernel runs; none of these changes an answer, but for the last bit between instruction
/// sets with and without fused multiply-add.
struct KernelSetting {
  int threads = 1;                                       ///< CPU threads; below 1 counts as 1
  InstructionSet instructions = best_instruction_set();  ///< one that this machine has
};

/// Floats on a cache line; grows, never shrinks.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  /// Takes the memory of `other`, which then has none.
  AlignedFloats(AlignedFloats&& other) noexcept
      : values_(std::move(other.values_)), size_(std::exchange(other.size_, 0)) {}
  /// The same, in place of its own.
  AlignedFloats& operator=(AlignedFloats&& other) noexcept {
    values_ = std::move(other.values_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  /// Room for `count` floats, whose values are not kept from one call to the next.
  float* room(std::size_t count) {
    if (count > size_) {
      values_.reset(static_cast<float*>(::operator new(count * sizeof(float), alignment)));
      size_ = count;
    }
    return values_.get();
  }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Delete {
    void operator()(float* values) const { ::operator delete(values, alignment); }
  };
  std::unique_ptr<float, Delete> values_;
  std::size_t size_ = 0;
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
