// SPDX-License-Identifier: Apache-2.0
#include "homolog/kernels/mutual_peaks.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "kernels/supported_sets.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

FeatureMap map_of_few_values(int rows, int cols, int dim, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> few(-2, 2);  // few values: many ties
  FeatureMap map(rows, cols, dim);
  for (float& value : map.values) value = static_cast<float>(few(random));
  return map;
}

}  // namespace

TEST_CASE("row and column maxima are those of all similarities, the lowest index of equal ones") {
  for (const int dim : {1, 3, 17, 64}) {
    for (const int rows : {1, 5, 23}) {
      FeatureMap target = map_of_few_values(7, 11, dim, static_cast<unsigned>(dim));
      const FeatureMap source = map_of_few_values(rows, 13, dim, static_cast<unsigned>(rows + 50));
      if (dim == 17) target.content = {1, 0, 11, 6};
      if (dim == 64) target.values.row(30).setConstant(std::numeric_limits<float>::quiet_NaN());
      for (const auto set : supported_sets()) {
        FloatMatrix all;
        similarity_rows(source.descriptors(), target, all, {1, set});
        for (const int threads : {1, 2, 4}) {
          const auto found = find_mutual_peaks(source.descriptors(), target, {threads, set});
          bool same = true;
          std::size_t mutual = 0;
          for (Eigen::Index q = 0; q < all.rows(); ++q) {
            Eigen::Index best = 0;
            for (Eigen::Index c = 0; c < all.cols(); ++c)
              best = all(q, c) > all(q, best) ? c : best;
            const Peak& peak = found.cell_of_query[static_cast<std::size_t>(q)];
            same = same && peak.row * 11 + peak.col == best && peak.value == all(q, best);
          }
          for (Eigen::Index c = 0; c < all.cols(); ++c) {
            Eigen::Index best = -1;
            for (Eigen::Index q = 0; q < all.rows(); ++q) {
              if (!std::isfinite(all(q, c))) continue;
              if (best < 0 || all(q, c) > all(best, c)) best = q;
            }
            same = same && found.query_of[static_cast<std::size_t>(c)] == best;
          }
          for (std::size_t q = 0; q < found.cell_of_query.size(); ++q) mutual += found.is_mutual(q);
          CHECK(same);
          CHECK(mutual >= 1);  // the largest similarity of all is so in both directions
        }
      }
    }
  }
}

TEST_CASE("a map against itself is mutual everywhere, a query without similarity is an error") {
  FeatureMap map(4, 5, 32);
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  for (float& value : map.values) value = normal(random);
  for (Eigen::Index c = 0; c < 20; ++c) map.values.row(c).normalize();
  const auto found = find_mutual_peaks(map.descriptors(), map);
  for (std::size_t i = 0; i < 20; ++i) CHECK(found.is_mutual(i));
  FloatMatrix broken = map.values;
  broken.row(7).setConstant(std::numeric_limits<float>::quiet_NaN());
  CHECK_THROWS_WITH_AS(find_mutual_peaks(MatrixView(broken.data(), 20, 32), map),
                       doctest::Contains("query 7"), ValueError);
  CHECK(find_mutual_peaks(MatrixView(nullptr, 0, 32), map).cell_of_query.empty());
}
