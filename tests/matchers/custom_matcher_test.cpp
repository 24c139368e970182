// SPDX-License-Identifier: Apache-2.0
// A matcher of one's own: ten lines, no base class, no registration.
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>

#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/matchers/mutual_nearest.hpp"
#include "matchers/maps.hpp"

namespace {

struct Parabola {  // argmax, refined by the parabola through the peak's neighbours in each row
  homolog::Match operator()(const homolog::SimilarityMap& map) const {
    Eigen::Index y, x;
    const float peak = map.maxCoeff(&y, &x);
    if (x == 0 || x + 1 == map.cols()) return {{double(x), double(y)}, peak};
    const double left = map(y, x - 1), right = map(y, x + 1), centre = peak;
    return {{double(x) + (left - right) / (2 * (left - 2 * centre + right)), double(y)}, peak};
  }
};

}  // namespace

using namespace homolog;
using namespace homolog::test;

static_assert(Matcher<Parabola> && !ProblemMatcher<Parabola>);

TEST_CASE("a custom matcher runs through match_queries and inside a decorator") {
  // The features of cell x are (cos, sin) of 0.2 x, so that similarity is a cosine of distance.
  FeatureMap source(3, 9, 3), target(3, 9, 3);
  for (int row = 0; row < 3; ++row) {
    for (int col = 0; col < 9; ++col) {
      const float angle = 0.2F * static_cast<float>(col);
      source.cell(row, col) << std::cos(angle), std::sin(angle), static_cast<float>(row);
      target.cell(row, col) << std::cos(angle + 0.06F), std::sin(angle + 0.06F),
          static_cast<float>(row);
    }
  }
  normalize_rows(source.values);
  normalize_rows(target.values);
  const Points<GridFrame> queries{{4, 0}, {5, 0}};
  const FloatMatrix descriptors = sample_descriptors(source, queries, Query::nearest);
  const MatchProblem problem{source, target, queries,
                             MatrixView(descriptors.data(), 2, descriptors.cols())};
  const auto plain = match_queries(Parabola{}, problem);
  const auto mutual = match_queries(MutualNearest<Parabola>{}, problem);
  for (std::size_t i = 0; i < queries.size(); ++i) {
    CHECK(plain[i].cell.x == doctest::Approx(queries[i].x - 0.3).epsilon(1e-3));
    CHECK(plain[i].cell.y == 0);
    CHECK(mutual[i].cell == plain[i].cell);
    CHECK(mutual[i].mutual);
    CHECK(match_queries(Argmax{}, problem)[i].cell == queries[i]);
  }
}
