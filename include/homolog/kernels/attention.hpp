// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Attention of a transformer's tokens on the CPU: softmax(scale * Q K^T) V for each head, without
/// storing the matrix of all scores.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/execution.hpp"
#include "homolog/core/instruction_set.hpp"
#include "homolog/kernels/detail/attention_neon.hpp"
#include "homolog/kernels/detail/attention_tiles.hpp"

namespace homolog::inline v0_1 {

/// Queries, keys and values of one picture's tokens, each head's dimensions side by side. They may
/// lie in one matrix, as a transformer's projection makes them.
///
/// @tparam Value float, or std::uint16_t for the bits of bfloat16
template <class Value>
struct AttentionInputs {
  const Value* queries = nullptr;  ///< [tokens, heads * dim]
  const Value* keys = nullptr;     ///< [tokens, heads * dim]
  const Value* values = nullptr;   ///< [tokens, heads * dim]
  std::size_t stride = 0;          ///< from one token to the next
  std::size_t tokens = 0;          ///< of the picture, all that attend to each other
  std::size_t heads = 0;           ///< side by side in a token
  std::size_t dim = 0;             ///< of a head, a multiple of 16
};

/// Memory that attend() reuses.
struct AttentionWorkspace {
  AlignedFloats keys;                     ///< all heads' keys, packed for the kernel
  AlignedFloats values;                   ///< all heads' values, packed for the kernel
  std::vector<AlignedFloats> per_thread;  ///< [threads] queries, scores and sums of one block
};

/// True when attend() has a kernel for this type of values and this instruction set; bfloat16 needs
/// instructions of its own.
template <class Value>
bool attends(InstructionSet set) {
  return std::is_same_v<Value, float> ||
         (HOMOLOG_X86_KERNELS == 1 && set == InstructionSet::avx512_bf16);
}

namespace detail {

/// Sizes of packed operands. The unit is a packed item: one float32, or two bfloat16 that follow
/// each other in the summation.
template <class Kernel>
struct AttentionSizes {
  using Value = typename Kernel::Value;
  using Packed = typename Kernel::Packed;
  // NOLINTNEXTLINE(bugprone-sizeof-expression): of float32, one
  static constexpr std::size_t pair = sizeof(Packed) / sizeof(Value);
  explicit AttentionSizes(const AttentionInputs<typename Kernel::Value>& in)
      : panels((in.tokens + key_panel - 1) / key_panel),
        depth(in.dim / pair),
        length((in.tokens + pair - 1) / pair),
        keys(panels * key_panel * depth),
        values(length * in.dim),
        row(panels * key_panel) {}
  std::size_t panels, depth, length;
  std::size_t keys;    ///< of a head
  std::size_t values;  ///< of a head
  std::size_t row;     ///< scores of a query
};

/// One head's keys as [panels][depth][key_panel], zeros behind the last, and its values as
/// [length][dim].
template <class Kernel>
void pack_head(const AttentionInputs<typename Kernel::Value>& in, std::size_t head,
               typename Kernel::Packed* keys, typename Kernel::Packed* values) {
  using Packed = typename Kernel::Packed;
  using Value = typename Kernel::Value;
  const AttentionSizes<Kernel> sizes(in);
  constexpr std::size_t pair = sizes.pair;
  std::fill_n(keys + (sizes.panels - 1) * sizes.depth * key_panel, sizes.depth * key_panel,
              Packed{});
  for (std::size_t t = 0; t < in.tokens; ++t) {
    const Value* const key = in.keys + t * in.stride + head * in.dim;
    Packed* const out = keys + t / key_panel * sizes.depth * key_panel + t % key_panel;
    for (std::size_t d = 0; d < sizes.depth; ++d) {
      std::memcpy(out + d * key_panel, key + d * pair, sizeof(Packed));
    }
  }
  for (std::size_t t = 0; t < in.tokens; t += pair) {
    const Value* const value = in.values + t * in.stride + head * in.dim;
    Packed* const out = values + t / pair * in.dim;
    if constexpr (pair == 1) {
      std::memcpy(out, value, in.dim * sizeof(Packed));
    } else {
      const bool alone = t + 1 == in.tokens;
      for (std::size_t d = 0; d < in.dim; ++d) {
        const Packed second = alone ? 0 : value[in.stride + d];
        out[d] = static_cast<Packed>(value[d]) | second << 16;
      }
    }
  }
}

/// A tile of queries as [depth][score_rows], zeros behind the last.
template <class Kernel>
void pack_queries(const AttentionInputs<typename Kernel::Value>& in, std::size_t head,
                  std::size_t first, std::size_t count, typename Kernel::Packed* out) {
  using Packed = typename Kernel::Packed;
  const AttentionSizes<Kernel> sizes(in);
  for (std::size_t q = 0; q < score_rows; ++q) {
    const auto* const query = in.queries + (first + q) * in.stride + head * in.dim;
    for (std::size_t d = 0; d < sizes.depth; ++d) {
      if (q < count) {
        std::memcpy(out + d * score_rows + q, query + d * sizes.pair, sizeof(Packed));
      } else {
        out[d * score_rows + q] = Packed{};
      }
    }
  }
}

/// Answers of up to query_block queries of one head.
template <class Kernel>
void attend_block(const AttentionInputs<typename Kernel::Value>& in, std::size_t head,
                  std::size_t first, float scale, const typename Kernel::Packed* keys,
                  const typename Kernel::Packed* values, AlignedFloats& room,
                  typename Kernel::Value* out, std::size_t out_stride) {
  using Packed = typename Kernel::Packed;
  const AttentionSizes<Kernel> sizes(in);
  const std::size_t count = (std::min)(query_block, in.tokens - first);
  float* const scores = room.room(query_block * (sizes.row + 2 * in.dim));
  auto* const queries = reinterpret_cast<Packed*>(scores + query_block * sizes.row);
  float* const sums = scores + query_block * (sizes.row + in.dim);

  const std::size_t tiles = (count + score_rows - 1) / score_rows;
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    const std::size_t q = tile * score_rows;
    pack_queries<Kernel>(in, head, first + q, (std::min)(score_rows, count - q),
                         queries + q * sizes.depth);
  }
  for (std::size_t panel = 0; panel < sizes.panels; ++panel) {
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      const std::size_t q = tile * score_rows;
      Kernel::scores(queries + q * sizes.depth, keys + panel * sizes.depth * key_panel, sizes.depth,
                     scores + q * sizes.row + panel * key_panel, sizes.row);
    }
  }
  float totals[query_block];
  for (std::size_t q = 0; q < count; ++q) {
    float* const row = scores + q * sizes.row;
    totals[q] = Kernel::exponentials(row, in.tokens, scale);
    if constexpr (sizes.pair == 2) {
#if HOMOLOG_X86_KERNELS
      // Rounding in place is safe: the 16-bit values are written before the place of the floats
      // that are still to be read.
      avx512_bf16::to_bfloat16(row, in.tokens, reinterpret_cast<std::uint16_t*>(row),
                               (in.tokens + 15) / 16 * 16);
#endif
    }
  }
  std::fill_n(sums, count * in.dim, 0.0F);
  for (std::size_t k = 0; k < sizes.length; k += value_block) {
    Kernel::add_values(reinterpret_cast<const Packed*>(scores) + k, sizes.row, count,
                       values + k * in.dim, (std::min)(value_block, sizes.length - k), in.dim,
                       sums);
  }
  for (std::size_t q = 0; q < count; ++q) {
    float* const sum = sums + q * in.dim;
    for (std::size_t d = 0; d < in.dim; ++d) sum[d] /= totals[q];
    auto* const place = out + (first + q) * out_stride + head * in.dim;
    if constexpr (sizes.pair == 1) {
      std::memcpy(place, sum, in.dim * sizeof(float));
    } else {
#if HOMOLOG_X86_KERNELS
      avx512_bf16::to_bfloat16(sum, in.dim, place, in.dim);
#endif
    }
  }
}

template <class Kernel, class Parallel>
void attend_with(const AttentionInputs<typename Kernel::Value>& in, float scale,
                 typename Kernel::Value* out, std::size_t out_stride, int threads,
                 AttentionWorkspace& workspace, const Parallel& parallel) {
  using Packed = typename Kernel::Packed;
  static_assert(sizeof(Packed) == sizeof(float));
  const AttentionSizes<Kernel> sizes(in);
  auto* const keys = reinterpret_cast<Packed*>(workspace.keys.room(in.heads * sizes.keys));
  auto* const values = reinterpret_cast<Packed*>(workspace.values.room(in.heads * sizes.values));
  if (workspace.per_thread.size() < static_cast<std::size_t>(threads)) {
    workspace.per_thread.resize(static_cast<std::size_t>(threads));
  }
  parallel(in.heads, [&](std::size_t head, std::size_t) {
    pack_head<Kernel>(in, head, keys + head * sizes.keys, values + head * sizes.values);
  });
  const std::size_t blocks = (in.tokens + query_block - 1) / query_block;
  parallel(in.heads * blocks, [&](std::size_t i, std::size_t slot) {
    const std::size_t head = i / blocks;
    attend_block<Kernel>(in, head, i % blocks * query_block, scale, keys + head * sizes.keys,
                         values + head * sizes.values, workspace.per_thread[slot], out, out_stride);
  });
}

}  // namespace detail

/// Attention of every token to all tokens, head by head: softmax(scale * Q K^T) V.
///
/// Scores, softmax and sums are float32; with bfloat16 inputs the softmax's weights are rounded to
/// bfloat16 before they multiply the values. The result is bitwise the same for any number of
/// threads. A NaN in the values of one token reaches the outputs of all tokens in that head.
///
/// @param out [tokens, heads * dim], `out_stride` from one token to the next
/// @param threads upper bound of the slots that `parallel` gives
/// @param parallel calls f(i, slot) for each i < count; calls at the same time have different slots
/// @throws ShapeError for a dimension that is no multiple of 16; SettingError where attends() is
///   false, or for an instruction set that this machine does not have
template <class Value, class Parallel>
void attend(const AttentionInputs<Value>& in, float scale, Value* out, std::size_t out_stride,
            InstructionSet set, int threads, AttentionWorkspace& workspace,
            const Parallel& parallel) {
  if (in.dim == 0 || in.dim % 16 != 0) {
    throw ShapeError(
        detail::text("attend: a head has ", in.dim, " dimensions, expected a multiple of 16"));
  }
  if (!attends<Value>(set)) {
    throw SettingError(detail::text("attend: no bfloat16 kernel for ", instruction_set_name(set)));
  }
  require_supported(set);
  if (in.tokens == 0 || in.heads == 0) return;
  if constexpr (std::is_same_v<Value, float>) {
#if HOMOLOG_X86_KERNELS
    if (includes(set, InstructionSet::avx512)) {
      return detail::attend_with<detail::Avx512Attention>(in, scale, out, out_stride, threads,
                                                          workspace, parallel);
    }
    if (set == InstructionSet::avx2) {
      return detail::attend_with<detail::Avx2Attention>(in, scale, out, out_stride, threads,
                                                        workspace, parallel);
    }
#endif
#if HOMOLOG_NEON_KERNELS
    if (set == InstructionSet::neon) {
      return detail::attend_with<detail::NeonAttention>(in, scale, out, out_stride, threads,
                                                        workspace, parallel);
    }
#endif
    detail::attend_with<detail::PortableAttention>(in, scale, out, out_stride, threads, workspace,
                                                   parallel);
  } else {
#if HOMOLOG_X86_KERNELS
    detail::attend_with<detail::Avx512Bf16Attention>(in, scale, out, out_stride, threads, workspace,
                                                     parallel);
#endif
  }
}

/// The same on the kernels' own threads.
template <class Value>
void attend(const AttentionInputs<Value>& in, float scale, Value* out, std::size_t out_stride,
            const Execution& execution, AttentionWorkspace& workspace) {
  const int threads = (std::max)(execution.threads, 1);
  attend(in, scale, out, out_stride, execution.instructions, threads, workspace,
         [&execution, threads](std::size_t count, const auto& task) {
           execution.workers().run(threads, count, task);
         });
}

}  // namespace homolog::inline v0_1
