// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of kernels/similarity.hpp.

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <limits>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/worker_pool.hpp"
#include "homolog/kernels/detail/check.hpp"
#include "homolog/kernels/detail/dispatch.hpp"
#include "homolog/kernels/similarity.hpp"

namespace homolog::inline v0_1 {

namespace detail {

HOMOLOG_INLINE void require_same_dim(MatrixView queries, const FeatureMap& target) {
  require_feature_map(target, "similarity_rows: target");
  const Eigen::Index dim = target.values.cols();
  if (dim < 1 || (queries.cols() != dim && queries.rows() > 0)) {
    throw ShapeError(
        text("similarity_rows: queries ",
             shape_text(std::initializer_list<Eigen::Index>{queries.rows(), queries.cols()}),
             " against a target map of dimension ", dim));
  }
}

HOMOLOG_INLINE void fill_similarity_rows(MatrixView queries, const FeatureMap& target,
                                         FloatMatrix& out, const Execution& execution) {
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

HOMOLOG_INLINE void similarity_near(const float* query, const FeatureMap& target,
                                    const CellRange& part, FloatMatrix& out,
                                    KernelWorkspace::Slot& slot, InstructionSet set) {
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

HOMOLOG_INLINE void require_finite_rows(const FloatMatrix& rows, Eigen::Index first_query,
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

}  // namespace homolog::inline v0_1
