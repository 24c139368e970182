// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The most similar pixel of a feature map that is upsampled linearly, without upsampling features:
/// a cosine with an interpolated feature is made of the four cells' dot products and their Gram
/// matrix, q.(sum w_i f_i) = sum w_i (q.f_i) and |sum w_i f_i|^2 = sum w_i w_j (f_i.f_j).

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/kernels/detail/check.hpp"
#include "homolog/kernels/detail/worker_pool.hpp"
#include "homolog/kernels/sample.hpp"
#include "homolog/kernels/similarity.hpp"
#include "homolog/kernels/workspace.hpp"

namespace homolog::inline v0_1 {

/// Where one axis of pixels lies between cells; pixels outside the map's content are left out.
struct UpsampledAxis {
  int first_pixel = 0;         ///< [px] the first that lies in the content
  int first_cell = 0;          ///< [cells] the first of the content
  std::vector<float> weights;  ///< of the second cell, by pixel - first_pixel
  std::vector<int> begin;      ///< pixels [begin[c], begin[c+1]) have cell first_cell + c first

  /// Cells of the content along this axis.
  int cells() const { return static_cast<int>(begin.size()) - 1; }
};

/// What find_upsampled_peaks() needs of a map besides its features; made once a picture.
struct UpsampledNorms {
  Size size;        ///< [px] that the whole grid is upsampled to
  UpsampledAxis x;  ///< columns
  UpsampledAxis y;  ///< rows
  FloatMatrix
      inverse;  ///< 1 / L2 norm of each pixel's interpolated feature, rows and columns of y, x
  FloatMatrix largest;  ///< the largest of them between four cells; 0 where a cell is not finite
};

/// The most similar pixel of a query and the cosine there.
struct PixelPeak {
  int x = 0;        ///< [px] column of the upsampled grid
  int y = 0;        ///< [px] row of the upsampled grid
  float value = 0;  ///< cosine with the interpolated feature, in [-1, 1]
};

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

/// The four cells around the pixels of one range, as rows of the map; equal ones at its border.
struct FourCells {
  FourCells(const FeatureMap& map, const UpsampledNorms& norms, int row, int col) {
    const Eigen::Index top = norms.y.first_cell + row, left = norms.x.first_cell + col;
    const Eigen::Index below = std::min<Eigen::Index>(top + 1, map.content.y2 - 1);
    const Eigen::Index right = std::min<Eigen::Index>(left + 1, map.content.x2 - 1);
    top_left = top * map.cols + left;
    top_right = top * map.cols + right;
    bottom_left = below * map.cols + left;
    bottom_right = below * map.cols + right;
  }
  Eigen::Index top_left, top_right, bottom_left, bottom_right;
};

/// Dot products of a cell's feature with itself and with its neighbours.
struct NeighbourProducts {
  float self, right, below_left, below, below_right;
};

inline std::vector<NeighbourProducts> neighbour_products(const FeatureMap& map,
                                                         const KernelSetting& setting,
                                                         KernelWorkspace& workspace) {
  const auto cells = static_cast<std::size_t>(map.cells()),
             cols = static_cast<std::size_t>(map.cols);
  const auto dim = static_cast<std::size_t>(map.dim());
  std::vector<NeighbourProducts> products(cells);
  const int threads = (std::max)(setting.threads, 1);
  KernelWorkspace::Slot* const per_thread = workspace.room(threads);
  worker_pool().run(threads, static_cast<std::size_t>(map.rows),
                    [&](std::size_t row, std::size_t slot) {
                      float* const scratch = per_thread[slot].cells.room(6 * padded_dim(dim));
                      for (std::size_t c = row * cols; c < (row + 1) * cols; ++c) {
                        // Cells c, c + 1 and cells c + cols - 1 to c + cols + 1 lie side by side;
                        // what belongs to another row of the grid is not read later.
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
                          dot_products(in, 0, end - begin, scratch, setting.instructions);
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

/// |sum w_i f_i|^2 from the features, for cells that nearly cancel and whose products do so the
/// more.
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

/// Norms of a map's interpolated features, as bilinear upsampling without aligned corners (half
/// pixels) interpolates. Where cells cancel each other to a millionth of their length, nothing but
/// rounding is left, and the cosine there is 0, as that of features that are all zero.
///
/// @param map features of any scale
/// @param size [px] of the upsampled grid, padding included
/// @throws ShapeError for an empty size, or when the map's sizes contradict each other;
/// SettingError for an instruction set that this machine does not have
inline UpsampledNorms upsampled_norms(const FeatureMap& map, Size size,
                                      const KernelSetting& setting = {},
                                      KernelWorkspace& workspace = thread_workspace()) {
  require_supported(setting.instructions);
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
  const auto products = detail::neighbour_products(map, setting, workspace);
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

namespace detail {

/// The best pixel of one query. `similarity` holds its dot products with all cells.
inline PixelPeak find_upsampled_peak(const float* similarity, const FeatureMap& map,
                                     const UpsampledNorms& norms, FloatMatrix& bounds) {
  const int rows = norms.y.cells(), cols = norms.x.cells();
  constexpr float lowest = -std::numeric_limits<float>::infinity();
  PixelPeak best{0, 0, lowest};
  const auto corners = [&](int row, int col) {
    const FourCells cells(map, norms, row, col);
    return std::array{similarity[cells.top_left], similarity[cells.top_right],
                      similarity[cells.bottom_left], similarity[cells.bottom_right]};
  };
  const auto look = [&](int row, int col) {
    const auto s = corners(row, col);
    const auto y1 = norms.y.begin[static_cast<std::size_t>(row)];
    const auto y2 = norms.y.begin[static_cast<std::size_t>(row) + 1];
    const auto x1 = norms.x.begin[static_cast<std::size_t>(col)];
    const auto x2 = norms.x.begin[static_cast<std::size_t>(col) + 1];
    for (int y = y1; y < y2; ++y) {
      const float v = norms.y.weights[static_cast<std::size_t>(y - norms.y.first_pixel)];
      const float left = (1 - v) * s[0] + v * s[2], right = (1 - v) * s[1] + v * s[3];
      for (int x = x1; x < x2; ++x) {
        const float t = norms.x.weights[static_cast<std::size_t>(x - norms.x.first_pixel)];
        const float value = ((1 - t) * left + t * right) *
                            norms.inverse(y - norms.y.first_pixel, x - norms.x.first_pixel);
        const bool before = y < best.y || (y == best.y && x < best.x);
        if (value > best.value || (value == best.value && before)) best = {x, y, value};
      }
    }
  };
  // No pixel exceeds its largest cell times its largest inverse norm; 1e-5 covers the rounding.
  bounds.resize(rows, cols);
  Eigen::Index top = 0, left = 0;
  float largest = lowest;
  for (int row = 0; row < rows; ++row) {
    for (int col = 0; col < cols; ++col) {
      const auto s = corners(row, col);
      const float most = (std::max)((std::max)(s[0], s[1]), (std::max)(s[2], s[3]));
      const float least = (std::min)((std::min)(s[0], s[1]), (std::min)(s[2], s[3]));
      const float inverse = norms.largest(row, col);
      // A cell without a finite similarity has -infinity here.
      const bool possible = inverse > 0 && least > lowest;
      bounds(row, col) = possible ? (std::max)(most, 0.0F) * inverse * 1.00001F : lowest;
      if (bounds(row, col) > largest) {
        largest = bounds(row, col);
        top = row;
        left = col;
      }
    }
  }
  if (largest == lowest) return best;
  look(static_cast<int>(top), static_cast<int>(left));
  for (int row = 0; row < rows; ++row) {
    for (int col = 0; col < cols; ++col) {
      if (bounds(row, col) >= best.value && bounds(row, col) > lowest &&
          (row != top || col != left)) {
        look(row, col);
      }
    }
  }
  return best;
}

}  // namespace detail

/// The pixel of the upsampled target that is most similar to each query: the answer of upsampling
/// the features, normalising every pixel's and taking the argmax (DIFT's protocol), up to rounding.
///
/// Of equally similar pixels the one with the lowest row-major index wins. Pixels outside the
/// content, and those between four cells of which one is not finite, never win.
///
/// @param queries L2-normalised float32 [N,D]
/// @param target features of any scale: the cosine is that with the interpolated feature
/// @param norms of `target`
/// @return [N] pixels of `norms.size`
/// @throws ShapeError when D differs, or `norms` are those of other cells; ValueError naming the
/// first query without any finite similarity
inline std::vector<PixelPeak> find_upsampled_peaks(
    DescriptorView queries, const FeatureMap& target, const UpsampledNorms& norms,
    const KernelSetting& setting = {}, KernelWorkspace& workspace = thread_workspace()) {
  detail::require_same_dim(queries, target);
  const CellRange made_of{norms.x.first_cell, norms.y.first_cell,
                          norms.x.first_cell + norms.x.cells(),
                          norms.y.first_cell + norms.y.cells()};
  if (made_of != target.content) {
    throw ShapeError(detail::text("upsampled norms of cells (", made_of.x1, ", ", made_of.y1,
                                  ") to (", made_of.x2, ", ", made_of.y2, "), expected (",
                                  target.content.x1, ", ", target.content.y1, ") to (",
                                  target.content.x2, ", ", target.content.y2, ")"));
  }
  std::vector<PixelPeak> peaks(static_cast<std::size_t>(queries.rows()));
  detail::in_blocks(
      queries.rows(), setting, workspace,
      [&](Eigen::Index begin, Eigen::Index count, const KernelSetting& inner, KernelWorkspace& own,
          FloatMatrix& similarity) {
        detail::fill_similarity_rows(
            DescriptorView(queries.data() + begin * queries.cols(), count, queries.cols()), target,
            similarity, inner, own);
        FloatMatrix bounds;
        for (Eigen::Index i = 0; i < count; ++i) {
          PixelPeak& peak = peaks[static_cast<std::size_t>(begin + i)];
          peak = detail::find_upsampled_peak(detail::row_of(similarity, i), target, norms, bounds);
          if (peak.value == -std::numeric_limits<float>::infinity()) {
            throw ValueError(detail::text("query ", begin + i,
                                          ": no similarity with the upsampled target is finite"));
          }
        }
      });
  return peaks;
}

}  // namespace homolog::inline v0_1
