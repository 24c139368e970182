// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Cosine similarity of queries with every cell of a target map.

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <utility>

#include "homolog/core/errors.hpp"
#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/worker_pool.hpp"
#include "homolog/kernels/detail/check.hpp"
#include "homolog/kernels/detail/dispatch.hpp"

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

inline void require_same_dim(MatrixView queries, const FeatureMap& target) {
  require_feature_map(target, "similarity_rows: target");
  const Eigen::Index dim = target.values.cols();
  if (dim < 1 || (queries.cols() != dim && queries.rows() > 0)) {
    throw ShapeError(
        text("similarity_rows: queries ",
             shape_text(std::initializer_list<Eigen::Index>{queries.rows(), queries.cols()}),
             " against a target map of dimension ", dim));
  }
}

/// similarity_rows() without the check that each row has a finite value.
inline void fill_similarity_rows(MatrixView queries, const FeatureMap& target, FloatMatrix& out,
                                 const Execution& execution) {
  require_supported(execution.instructions);
  require_same_dim(queries, target);
  const auto cells = static_cast<std::size_t>(target.values.rows());
  const auto count = static_cast<std::size_t>(queries.rows());
  const auto dim = static_cast<std::size_t>(target.values.cols()), padded = padded_dim(dim);
  out.resize(queries.rows(), target.values.rows());
  const CellRange whole{0, 0, target.cols, target.rows};
  if (target.content != whole) out.fill(-std::numeric_limits<float>::infinity());

  // A block has as many queries as stay in the L2 cache while all cells are read.
  constexpr std::size_t cached_floats = 160 * 1024;
  const std::size_t block = even_block(count, std::max<std::size_t>(cached_floats / padded, 4));
  const int threads = (std::max)(execution.threads, 1);
  const CellPieces pieces(target, threads == 1 ? 1 : 4 * static_cast<std::size_t>(threads));
  const std::size_t sharing = (std::min)(static_cast<std::size_t>(threads), pieces.count());
  KernelWorkspace::Slot* const per_thread =
      execution.memory().room((std::max)(static_cast<int>(sharing), 1));
  float* const packed = per_thread->queries.room((std::min)(block, count) * padded);
  for (std::size_t begin = 0; begin < count; begin += block) {
    const std::size_t here = (std::min)(block, count - begin);
    for (std::size_t q = 0; q < here; ++q) {
      std::memcpy(packed + q * padded, queries.data() + (begin + q) * dim, dim * sizeof(float));
    }
    const DotInputs in{packed, here, padded, target.values.data(), dim, out.data() + begin * cells,
                       cells};
    execution.workers().run(threads, pieces.count(), [&](std::size_t i, std::size_t slot) {
      const auto [first, last] = pieces[i];
      dot_products(in, first, last, per_thread[slot].cells.room(6 * padded),
                   execution.instructions);
    });
  }
}

/// One query's similarity with a part of a map, the same bits as in the whole map.
inline void similarity_near(const float* query, const FeatureMap& target, const CellRange& part,
                            FloatMatrix& out, KernelWorkspace::Slot& slot, InstructionSet set) {
  out.resize(part.y2 - part.y1, part.x2 - part.x1);
  const auto dim = static_cast<std::size_t>(target.values.cols()), padded = padded_dim(dim);
  const CellRange& content = target.content;
  const CellRange inside{(std::max)(part.x1, content.x1), (std::max)(part.y1, content.y1),
                         (std::min)(part.x2, content.x2), (std::min)(part.y2, content.y2)};
  if (inside != part) out.fill(-std::numeric_limits<float>::infinity());
  float* const packed = slot.queries.room(padded);
  std::memcpy(packed, query, dim * sizeof(float));
  for (int y = inside.y1; y < inside.y2; ++y) {
    const auto first = static_cast<std::size_t>(y) * static_cast<std::size_t>(target.cols) +
                       static_cast<std::size_t>(inside.x1);
    const auto count = static_cast<std::size_t>(inside.x2 - inside.x1);
    const DotInputs in{packed, 1,
                       padded, target.values.data() + first * dim,
                       dim,    row_of(out, y - part.y1) + (inside.x1 - part.x1),
                       count};
    dot_products(in, 0, count, slot.cells.room(6 * padded), set);
  }
}

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
inline void require_finite_rows(const FloatMatrix& rows, Eigen::Index first_query,
                                const Execution& execution) {
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    const float largest = largest_finite(row_of(rows, i), static_cast<std::size_t>(rows.cols()),
                                         execution.instructions);
    if (!(largest > -std::numeric_limits<float>::infinity())) {
      throw ValueError(text("query ", first_query + i,
                            ": no similarity with the target is finite; the query's feature, or "
                            "every feature of the target, holds NaN or infinity"));
    }
  }
}

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
