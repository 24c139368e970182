// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Cosine similarity of queries with every cell of a target map: portable reference kernel.

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <utility>

#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/detail/check.hpp"

namespace homolog {

namespace detail {

/// Dot products of sizeof...(I) queries with one cell, float32.
///
/// The order of summation depends on D alone. A general matrix product sums differently near the
/// edges of its tiles, so that two cells with equal features would get similarities that differ in
/// the last bit, and the tie between them would not go to the lowest index.
template <std::size_t... I>
void dot_products(std::index_sequence<I...>, const float* queries, const float* cell,
                  Eigen::Index dim, float* out, Eigen::Index out_stride) {
  constexpr int lanes = 8;
  using Lanes = Eigen::Array<float, lanes, 1>;
  using Chunk = Eigen::Map<const Lanes>;
  // Packs instead of loops: the sums stay in registers at any level of optimisation.
  Lanes sums[] = {((void)I, Lanes::Zero())...};
  const float* const rows[] = {queries + static_cast<Eigen::Index>(I) * dim...};
  Eigen::Index k = 0;
  for (; k + lanes <= dim; k += lanes) {
    const Lanes features = Chunk(cell + k);
    ((sums[I] += Chunk(rows[I] + k) * features), ...);
  }
  const auto finish = [&](std::size_t i, float sum) {
    for (Eigen::Index tail = k; tail < dim; ++tail) sum += rows[i][tail] * cell[tail];
    out[static_cast<Eigen::Index>(i) * out_stride] =
        std::isfinite(sum) ? sum : -std::numeric_limits<float>::infinity();
  };
  (finish(I, sums[I].sum()), ...);
}

/// similarity_rows without the search for rows that admit no answer.
inline void fill_similarity_rows(DescriptorView queries, const FeatureMap& target,
                                 FloatMatrix& out) {
  require_feature_map(target, "similarity_rows: target");
  const Eigen::Index dim = target.values.cols();
  if (dim < 1 || (queries.cols() != dim && queries.rows() > 0)) {
    throw ShapeError(
        text("similarity_rows: queries ",
             shape_text(std::initializer_list<Eigen::Index>{queries.rows(), queries.cols()}),
             " against a target map of dimension ", dim));
  }
  const Eigen::Index count = queries.rows(), cells = target.values.rows();
  const CellRange& content = target.content;
  out.setConstant(count, cells, -std::numeric_limits<float>::infinity());
  constexpr int block = 4;            // queries that share one read of a cell
  constexpr Eigen::Index strip = 64;  // cells that stay in cache while all queries pass
  for (int y = content.y1; y < content.y2; ++y) {
    const Eigen::Index row_begin = static_cast<Eigen::Index>(y) * target.cols;
    for (Eigen::Index x1 = content.x1; x1 < content.x2; x1 += strip) {
      const Eigen::Index x2 = std::min<Eigen::Index>(x1 + strip, content.x2);
      for (Eigen::Index q = 0; q < count; q += block) {
        const float* rows = queries.data() + q * dim;
        for (Eigen::Index cell = row_begin + x1; cell < row_begin + x2; ++cell) {
          const float* features = target.values.data() + cell * dim;
          float* answer = out.data() + q * cells + cell;
          switch (std::min<Eigen::Index>(block, count - q)) {
            case 1:
              dot_products(std::make_index_sequence<1>(), rows, features, dim, answer, cells);
              break;
            case 2:
              dot_products(std::make_index_sequence<2>(), rows, features, dim, answer, cells);
              break;
            case 3:
              dot_products(std::make_index_sequence<3>(), rows, features, dim, answer, cells);
              break;
            default:
              dot_products(std::make_index_sequence<block>(), rows, features, dim, answer, cells);
          }
        }
      }
    }
  }
}

/// @throws ValueError naming the first row without a finite value, counted from `first_query`
inline void require_finite_rows(const FloatMatrix& rows, Eigen::Index first_query) {
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    if (!(rows.row(i).maxCoeff() > -std::numeric_limits<float>::infinity())) {
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
/// @param out becomes float32 [N, rows*cols]; -infinity at padding and where a feature is not
/// finite, finite elsewhere. Cells with equal features get equal similarities, bit for bit.
/// @throws ShapeError when D differs or the map's sizes contradict each other; ValueError naming
/// the first query without any finite similarity
inline void similarity_rows(DescriptorView queries, const FeatureMap& target, FloatMatrix& out) {
  detail::fill_similarity_rows(queries, target, out);
  detail::require_finite_rows(out, 0);
}

}  // namespace homolog
