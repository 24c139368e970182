// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of kernels/upsampled_norms.hpp.

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/worker_pool.hpp"
#include "homolog/kernels/detail/check.hpp"
#include "homolog/kernels/detail/dispatch.hpp"
#include "homolog/kernels/sample.hpp"
#include "homolog/kernels/similarity.hpp"
#include "homolog/kernels/upsampled_norms.hpp"

namespace homolog::inline v0_1 {

namespace detail {

inline UpsampledAxis upsampled_axis(int cells, int pixels, int content_begin, int content_end) {
  UpsampledAxis axis;
  const double scale = static_cast<double>(cells) / pixels;
  axis.first_cell = content_begin;
  axis.first_pixel = pixels;
  axis.begin.assign(static_cast<std::size_t>(content_end - content_begin), -1);
  for (int pixel = 0; pixel < pixels; ++pixel) {
    const double coordinate = (pixel + 0.5) * scale - 0.5;
    if (coordinate < content_begin - 0.5 || coordinate >= content_end - 0.5) continue;
    axis.first_pixel = (std::min)(axis.first_pixel, pixel);
    const Neighbours pair = neighbours(coordinate, content_begin, content_end);
    int& begin = axis.begin[static_cast<std::size_t>(pair.first - content_begin)];
    if (begin < 0) begin = pixel;
    axis.weights.push_back(pair.weight);
  }
  // Cells without a pixel of their own have an empty range.
  int next = axis.first_pixel + static_cast<int>(axis.weights.size());
  axis.begin.push_back(next);
  for (std::size_t c = axis.begin.size(); c-- > 0;) {
    if (axis.begin[c] < 0) axis.begin[c] = next;
    next = axis.begin[c];
  }
  return axis;
}

/// Dot products of a cell's feature with itself and with its neighbours.
struct NeighbourProducts {
  float self, right, below_left, below, below_right;
};

inline std::vector<NeighbourProducts> neighbour_products(const FeatureMap& map,
                                                         const Execution& execution) {
  const auto cells = static_cast<std::size_t>(map.cells()),
             cols = static_cast<std::size_t>(map.cols);
  const auto dim = static_cast<std::size_t>(map.dim());
  std::vector<NeighbourProducts> products(cells);
  const int threads = (std::max)(execution.threads, 1);
  KernelWorkspace::Slot* const per_thread = execution.memory().room(threads);
  execution.workers().run(
      threads, static_cast<std::size_t>(map.rows), [&](std::size_t row, std::size_t slot) {
        float* const scratch = per_thread[slot].cells.room(6 * padded_dim(dim));
        for (std::size_t c = row * cols; c < (row + 1) * cols; ++c) {
          // Cells c, c + 1 and cells c + cols - 1 to c + cols + 1 lie side by side; products with
          // cells of another row of the grid are not used later.
          float found[5] = {};
          const auto multiply = [&](std::size_t begin, std::size_t end, float* out) {
            end = (std::min)(end, cells);
            if (begin >= end) return;
            const DotInputs in{map.values.data() + c * dim,
                               1,
                               dim,
                               map.values.data() + begin * dim,
                               dim,
                               out,
                               end - begin};
            dot_products(in, 0, end - begin, scratch, execution.instructions);
          };
          multiply(c, c + 2, found);
          multiply(c + cols - 1, c + cols + 2, found + 2);
          products[c] = {found[0], found[1], found[2], found[3], found[4]};
        }
      });
  return products;
}

/// |sum w_i f_i|^2 for the weights (1-t, t) along x and (1-v, v) along y.
struct SquaredNorm {
  SquaredNorm(const std::vector<NeighbourProducts>& products, const FourCells& cells) {
    const auto of = [&](Eigen::Index cell) { return products[static_cast<std::size_t>(cell)]; };
    const bool right = cells.top_right != cells.top_left,
               below = cells.bottom_left != cells.top_left;
    const auto a = of(cells.top_left), b = of(cells.top_right), c = of(cells.bottom_left);
    aa = a.self;
    bb = b.self;
    cc = c.self;
    dd = of(cells.bottom_right).self;
    ab = right ? a.right : a.self;
    cd = right ? c.right : c.self;
    ac = below ? a.below : a.self;
    bd = below ? b.below : b.self;
    ad = right && below ? a.below_right : right ? a.right : ac;
    bc = right && below ? b.below_left : right ? a.right : ac;
  }
  bool finite() const {
    // A product that is not finite is -infinity.
    return std::isfinite(aa + bb + cc + dd + ab + cd + ac + bd + ad + bc);
  }
  float largest_cell() const { return (std::max)((std::max)(aa, bb), (std::max)(cc, dd)); }
  float aa, bb, cc, dd, ab, cd, ac, bd, ad, bc;
};

/// |sum w_i f_i|^2 from the features themselves, for cells that nearly cancel each other, where a
/// sum of products would lose too much precision.
inline double squared_norm_of_sum(const FeatureMap& map, const FourCells& cells, float t, float v) {
  const auto at = [&](Eigen::Index cell, Eigen::Index d) {
    return static_cast<double>(row_of(map.values, cell)[d]);
  };
  const auto right = static_cast<double>(t), below = static_cast<double>(v);
  const double left = 1 - right, above = 1 - below;
  double sum = 0;
  for (Eigen::Index d = 0; d < map.values.cols(); ++d) {
    const double value =
        above * (left * at(cells.top_left, d) + right * at(cells.top_right, d)) +
        below * (left * at(cells.bottom_left, d) + right * at(cells.bottom_right, d));
    sum += value * value;
  }
  return sum;
}

}  // namespace detail

HOMOLOG_INLINE UpsampledNorms upsampled_norms(const FeatureMap& map, Size size,
                                              const Execution& execution) {
  require_supported(execution.instructions);
  detail::require_feature_map(map, "upsampled_norms");
  if (size.width < 1 || size.height < 1) {
    throw ShapeError(detail::text("upsampled_norms: size ", size.width, "x", size.height,
                                  ", expected at least one pixel"));
  }
  const CellRange& content = map.content;
  UpsampledNorms norms{size,
                       detail::upsampled_axis(map.cols, size.width, content.x1, content.x2),
                       detail::upsampled_axis(map.rows, size.height, content.y1, content.y2),
                       {},
                       {}};
  norms.inverse.resize(static_cast<Eigen::Index>(norms.y.weights.size()),
                       static_cast<Eigen::Index>(norms.x.weights.size()));
  norms.largest.resize(norms.y.cells(), norms.x.cells());
  norms.largest.fill(0);
  const auto products = detail::neighbour_products(map, execution);
  constexpr float least_norm = 1e-12F;     // torch.nn.functional.normalize's
  constexpr float cancelled_most = 1e-2F;  // of the squared length, where float32 products fail
  constexpr double nothing_left = 1e-12;
  for (int row = 0; row < norms.y.cells(); ++row) {
    for (int col = 0; col < norms.x.cells(); ++col) {
      const detail::FourCells cells(map, norms, row, col);
      const detail::SquaredNorm of(products, cells);
      const auto [y1, y2] = std::pair(norms.y.begin[static_cast<std::size_t>(row)],
                                      norms.y.begin[static_cast<std::size_t>(row) + 1]);
      const auto [x1, x2] = std::pair(norms.x.begin[static_cast<std::size_t>(col)],
                                      norms.x.begin[static_cast<std::size_t>(col) + 1]);
      float largest = (std::numeric_limits<float>::min)();
      for (int y = y1 - norms.y.first_pixel; y < y2 - norms.y.first_pixel; ++y) {
        const float v = norms.y.weights[static_cast<std::size_t>(y)], u = 1 - v;
        // The left and the right pair of cells, mixed along y.
        const float left = u * u * of.aa + 2 * u * v * of.ac + v * v * of.cc;
        const float right = u * u * of.bb + 2 * u * v * of.bd + v * v * of.dd;
        const float both = u * u * of.ab + u * v * (of.ad + of.bc) + v * v * of.cd;
        for (int x = x1 - norms.x.first_pixel; x < x2 - norms.x.first_pixel; ++x) {
          const float t = norms.x.weights[static_cast<std::size_t>(x)], s = 1 - t;
          const float square = s * s * left + 2 * s * t * both + t * t * right;
          float inverse = 1 / (std::max)(std::sqrt((std::max)(square, 0.0F)), least_norm);
          if (square < cancelled_most * of.largest_cell()) {
            const double exact = detail::squared_norm_of_sum(map, cells, t, v);
            const bool nothing = exact < nothing_left * static_cast<double>(of.largest_cell());
            inverse = nothing ? 0 : static_cast<float>(1 / std::sqrt(exact));
          }
          norms.inverse(y, x) = inverse;
          largest = (std::max)(largest, inverse);
        }
      }
      if (of.finite()) norms.largest(row, col) = largest;
    }
  }
  return norms;
}

}  // namespace homolog::inline v0_1
