// SPDX-License-Identifier: Apache-2.0
#include "homolog/kernels/upsampled_peak.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "homolog/kernels/normalize.hpp"
#include "homolog/matchers/upsampled_argmax.hpp"
#include "support/random_features.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

/// Cosine of a query with each pixel's interpolated feature, in float64 and by upsampling; NaN
/// where a pixel is no answer.
Eigen::MatrixXd upsampled_cosines(const FeatureMap& map, Size size, const float* query) {
  Eigen::MatrixXd result(size.height, size.width);
  const CellRange& content = map.content;
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double cell_y = (y + 0.5) * map.rows / size.height - 0.5;
      const double cell_x = (x + 0.5) * map.cols / size.width - 0.5;
      result(y, x) = static_cast<double>(not_a_number);
      if (cell_y < content.y1 - 0.5 || cell_y >= content.y2 - 0.5 || cell_x < content.x1 - 0.5 ||
          cell_x >= content.x2 - 0.5) {
        continue;
      }
      const double cy = std::clamp(cell_y, content.y1 * 1.0, content.y2 - 1.0);
      const double cx = std::clamp(cell_x, content.x1 * 1.0, content.x2 - 1.0);
      const int top = static_cast<int>(cy), left = static_cast<int>(cx);
      const int below = std::min(top + 1, content.y2 - 1),
                right = std::min(left + 1, content.x2 - 1);
      const double v = cy - top, t = cx - left;
      const Eigen::VectorXd feature = (1 - v) * ((1 - t) * map.cell(top, left).cast<double>() +
                                                 t * map.cell(top, right).cast<double>()) +
                                      v * ((1 - t) * map.cell(below, left).cast<double>() +
                                           t * map.cell(below, right).cast<double>());
      double product = 0;
      for (int d = 0; d < map.dim(); ++d) product += feature[d] * static_cast<double>(query[d]);
      result(y, x) = product / std::max(feature.norm(), 1e-12);
    }
  }
  return result;
}

}  // namespace

TEST_CASE("the most similar pixel is that of upsampled and normalised features") {
  std::mt19937 random(1);
  const auto draw = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  KernelWorkspace workspace;
  for (int repeat = 0; repeat < 60; ++repeat) {
    const int rows = repeat < 4 ? 1 + repeat % 2 : draw(1, 12);
    const int cols = repeat < 4 ? 1 + repeat / 2 : draw(1, 12);
    FeatureMap map = random_map(rows, cols, draw(1, 70), static_cast<unsigned>(repeat));
    if (repeat % 3 == 0 && rows > 3 && cols > 3) map.content = {1, 1, cols - 1, rows};
    if (repeat % 4 == 0) normalize_rows(map.values);
    const Size size{draw(1, 80), draw(1, 80)};
    FloatMatrix queries = random_map(1, 9, map.dim(), 100U + static_cast<unsigned>(repeat)).values;
    normalize_rows(queries);
    const MatrixView view(queries.data(), queries.rows(), queries.cols());
    Execution execution{1 + repeat % 3};
    execution.workspace = &workspace;
    const bool any = upsampled_cosines(map, size, queries.data()).array().isFinite().any();
    const auto norms = upsampled_norms(map, size, execution);
    CAPTURE(repeat);
    if (!any) {
      CHECK_THROWS_AS(find_upsampled_peaks(view, map, norms), ValueError);
      continue;
    }
    const auto peaks = find_upsampled_peaks(view, map, norms, execution);
    for (Eigen::Index q = 0; q < queries.rows(); ++q) {
      const auto expected = upsampled_cosines(map, size, queries.row(q).data());
      double largest = -2;
      for (const double value : expected.reshaped()) largest = value > largest ? value : largest;
      const PixelPeak& peak = peaks[static_cast<std::size_t>(q)];
      CHECK(static_cast<double>(peak.value) == doctest::Approx(largest).epsilon(1e-5));
      CHECK(expected(peak.y, peak.x) == doctest::Approx(largest).epsilon(1e-5));
    }
  }
}

TEST_CASE("cells that nearly cancel keep their cosine") {
  // The pixel in the middle of two nearly opposite cells is made of their small difference.
  for (unsigned seed = 0; seed < 100; ++seed) {
    FeatureMap map = random_map(1, 2, 64, seed);
    const FeatureMap noise = random_map(1, 1, 64, 1000 + seed);
    map.values.row(1) = -map.values.row(0) + 3e-3F * noise.values.row(0);
    normalize_rows(map.values);
    FloatMatrix query = random_map(1, 1, 64, 2000 + seed).values;
    normalize_rows(query);
    const auto expected = upsampled_cosines(map, {3, 1}, query.data());
    const auto peak =
        find_upsampled_peaks(MatrixView(query.data(), 1, 64), map, upsampled_norms(map, {3, 1}))
            .front();
    CAPTURE(seed);
    CHECK(static_cast<double>(peak.value) == doctest::Approx(expected.maxCoeff()).epsilon(1e-3));
    CHECK(expected(peak.y, peak.x) == doctest::Approx(expected.maxCoeff()).epsilon(1e-3));
  }
  FeatureMap opposite = random_map(1, 2, 64, 3);
  opposite.values.row(1) = -opposite.values.row(0);
  const auto norms = upsampled_norms(opposite, {3, 1});
  CHECK(norms.inverse(0, 1) == 0);  // nothing is left there
  normalize_rows(opposite.values);
  const MatrixView first(opposite.values.data(), 1, 64);
  CHECK(find_upsampled_peaks(first, opposite, norms).front().x == 0);
}

TEST_CASE("norms of other cells are refused") {
  const FeatureMap map = random_map(3, 3, 8, 1), larger = random_map(40, 40, 8, 2);
  FloatMatrix query = random_map(1, 1, 8, 3).values;
  const MatrixView view(query.data(), 1, 8);
  CHECK_THROWS_WITH_AS(
      find_upsampled_peaks(view, map, upsampled_norms(larger, {80, 80})),
      "the upsampled norms were made of cells (0, 0) to (40, 40), the target has (0, 0) to (3, 3)",
      ShapeError);
}

TEST_CASE("equal pixels give the first one, cells that are not finite none around them") {
  FeatureMap map(4, 5, 3);
  map.values.fill(0.5F);
  const FloatMatrix query(1, 3, 1 / std::sqrt(3.0F));
  const MatrixView view(query.data(), 1, 3);
  const Size size{50, 40};
  auto peak = find_upsampled_peaks(view, map, upsampled_norms(map, size)).front();
  CHECK(peak.value == doctest::Approx(1).epsilon(1e-6));
  CHECK(peak.y < 10);  // rounding may prefer one of the first cells' pixels, they are all the same

  map = random_map(4, 5, 3, 8);
  map.values.row(2 * 5 + 2).setConstant(not_a_number);
  const auto norms = upsampled_norms(map, size);
  CHECK((norms.largest.view().array() == 0).count() == 4);
  peak = find_upsampled_peaks(view, map, norms).front();
  CHECK(std::isfinite(peak.value));
  const double cell_x = (peak.x + 0.5) / 10 - 0.5, cell_y = (peak.y + 0.5) / 10 - 0.5;
  CHECK(!(cell_x >= 1 && cell_x < 3 && cell_y >= 1 && cell_y < 3));

  map.values.fill(not_a_number);
  CHECK_THROWS_AS(find_upsampled_peaks(view, map, upsampled_norms(map, size)), ValueError);
  CHECK_THROWS_AS(upsampled_norms(map, {0, 3}), ShapeError);
  CHECK_THROWS_AS(find_upsampled_peaks(MatrixView(query.data(), 1, 2), map, norms), ShapeError);
}

TEST_CASE("the matcher answers in cells, and factor 1 is argmax") {
  FeatureMap map = random_map(7, 9, 16, 3);
  normalize_rows(map.values);
  const FloatMatrix queries = map.values;
  Points<GridFrame> cells;
  for (int row = 0; row < 7; ++row) {
    for (int col = 0; col < 9; ++col) cells.push_back({col * 1.0, row * 1.0});
  }
  const MatchProblem problem{map, map, cells,
                             MatrixView(queries.data(), queries.rows(), queries.cols())};
  for (const int factor : {1, 3, 14}) {
    const auto matches = UpsampledArgmax{{factor}}.match(problem);
    REQUIRE(matches.size() == cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      // An even factor has no pixel on a cell's centre; the outer half of a border's cells is as
      // similar as their centre.
      const bool inner = cells[i].x > 0 && cells[i].x < 8 && cells[i].y > 0 && cells[i].y < 6;
      const double tolerance = factor == 1 ? 1e-9
                               : !inner    ? 0.5
                                           : (factor % 2 == 1 ? 0 : 0.5 / factor) + 1e-9;
      CHECK(std::abs(matches[i].cell.x - cells[i].x) <= tolerance);
      CHECK(std::abs(matches[i].cell.y - cells[i].y) <= tolerance);
    }
  }
  CHECK_THROWS_AS(UpsampledArgmax{{0}}.match(problem), SettingError);
}
