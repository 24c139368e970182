// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Cosine similarity of queries with every cell of a target map.

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <utility>

#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/worker_pool.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Runs of neighbouring cells, divided into pieces that are distributed to threads.
struct CellPieces {
  CellPieces(const FeatureMap& map, std::size_t wanted) {
    const CellRange& content = map.content;
    const auto cols = static_cast<std::size_t>(map.cols);
    first = static_cast<std::size_t>(content.y1) * cols + static_cast<std::size_t>(content.x1);
    length = static_cast<std::size_t>(content.x2 - content.x1);
    stride = cols;
    runs = static_cast<std::size_t>(content.y2 - content.y1);
    if (length == cols) {
      length *= runs;
      runs = 1;
    }
    constexpr std::size_t least = 48;  // cells, so that a piece is worth handing to a thread
    const std::size_t most = std::max<std::size_t>(length / least, 1);
    each = std::clamp<std::size_t>(wanted / runs, 1, most);
  }
  std::size_t count() const { return runs * each; }
  std::pair<std::size_t, std::size_t> operator[](std::size_t i) const {
    const std::size_t begin = first + i / each * stride, part = i % each;
    return {begin + length * part / each, begin + length * (part + 1) / each};
  }
  std::size_t first = 0, length = 0, stride = 0, runs = 0, each = 0;
};

/// Size of the blocks when `count` is divided into as few blocks as possible of at most about
/// `most`: a multiple of 4, except that the last block may be smaller.
inline std::size_t even_block(std::size_t count, std::size_t most) {
  const std::size_t blocks = std::max<std::size_t>((count + most - 1) / most, 1);
  return std::max<std::size_t>(((count + blocks - 1) / blocks + 3) / 4 * 4, 4);
}

void require_same_dim(MatrixView queries, const FeatureMap& target);

/// similarity_rows() without the check that each row has a finite value.
void fill_similarity_rows(MatrixView queries, const FeatureMap& target, FloatMatrix& out,
                          const Execution& execution);

/// One query's similarity with a part of a map, the same bits as in the whole map.
void similarity_near(const float* query, const FeatureMap& target, const CellRange& part,
                     FloatMatrix& out, KernelWorkspace::Slot& slot, InstructionSet set);

/// Calls work(begin, count, execution, similarity) for blocks of `rows` queries: many queries are
/// divided between the threads; with few queries, all threads work on the same block.
template <class Work>
void in_blocks(Eigen::Index rows, const Execution& execution, const Work& work) {
  constexpr std::size_t most = 256;
  constexpr Eigen::Index few = 32;
  const Eigen::Index threads = (std::max)(execution.threads, 1);
  const auto at_most = [rows](std::size_t size) {
    return static_cast<Eigen::Index>(even_block(static_cast<std::size_t>(rows), size));
  };
  if (threads == 1 || rows < few * threads) {
    // Moved out of the workspace, in case the matcher itself calls this function.
    FloatMatrix similarity = std::move(execution.memory().room(1)->similarity);
    const Eigen::Index block = at_most(most);
    for (Eigen::Index begin = 0; begin < rows; begin += block) {
      work(begin, (std::min)(block, rows - begin), execution, similarity);
    }
    execution.memory().room(1)->similarity = std::move(similarity);
    return;
  }
  const auto share = static_cast<std::size_t>((rows + 2 * threads - 1) / (2 * threads));
  const Eigen::Index block = at_most((std::min)(share, most));
  execution.workers().run(execution.threads, static_cast<std::size_t>((rows + block - 1) / block),
                          [&](std::size_t i, std::size_t) {
                            const Eigen::Index begin = static_cast<Eigen::Index>(i) * block;
                            KernelWorkspace& own = thread_workspace();
                            FloatMatrix similarity = std::move(own.room(1)->similarity);
                            work(begin, (std::min)(block, rows - begin), execution.alone(own),
                                 similarity);
                            own.room(1)->similarity = std::move(similarity);
                          });
}

/// @throws ValueError naming the first row without a finite value, counted from `first_query`
void require_finite_rows(const FloatMatrix& rows, Eigen::Index first_query,
                         const Execution& execution);

}  // namespace detail

/// Cosine similarity of `queries` [N,D] with every cell of `target`, one map a query (equations 1
/// and 5).
///
/// @param queries L2-normalised float32 [N,D]
/// @param target L2-normalised, D features a cell
/// @param out another matrix than the one that `queries` shows; becomes float32 [N, rows*cols];
/// -infinity at padding and where a feature is not finite, finite elsewhere. The order of summation
/// depends on D alone: equal features give equal similarities, bit for bit, whatever other cells
/// and queries there are and however many threads work
/// @throws ShapeError when D differs or the map's sizes contradict each other; ValueError naming
/// the first query without any finite similarity; SettingError for an instruction set that this
/// machine does not have
inline void similarity_rows(MatrixView queries, const FeatureMap& target, FloatMatrix& out,
                            const Execution& execution = {}) {
  detail::fill_similarity_rows(queries, target, out, execution);
  detail::require_finite_rows(out, 0, execution);
}

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/kernels/detail/similarity_inl.hpp"
#endif
