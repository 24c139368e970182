// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A decorator that says which matches hold in both directions.

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <tuple>
#include <vector>

#include "homolog/core/execution.hpp"
#include "homolog/core/field.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/kernels/sample.hpp"
#include "homolog/kernels/similarity.hpp"
#include "homolog/matchers/match_queries.hpp"

namespace homolog::inline v0_1 {

/// Gives the answers of `base`, and sets Match::mutual to whether matching back returns to the
/// query: the feature of the answered cell is matched by argmax against the source map, and the
/// cell found lies within `tolerance` of the query in the maximum norm.
///
/// No answer is dropped or moved. An answer on a cell whose feature is not finite is not mutual.
template <class Base>
struct MutualNearest {
  /// What a user may change: how far from the query the backward match may end.
  struct Setting {
    double tolerance = 1;  ///< [cells] a query is up to 0.5 from its own cell's centre

    /// The fields, for checks, JSON, options and tables.
    static constexpr auto fields() {
      return std::tuple(Field{"tolerance", &Setting::tolerance,
                              "cells from the query at which the way back may end",
                              Allowed::not_negative});
    }
  };
  Setting setting;  ///< as default-constructed unless changed
  Base base;        ///< the matcher whose answers are checked; set it up in place

  /// Makes an evaluation also score the mutual answers alone.
  static constexpr bool checks_mutual = true;

  /// @return [N] cells of the target grid
  /// @throws SettingError for a negative or NaN tolerance; otherwise as match_queries with `base`
  std::vector<Match> match(const MatchProblem& problem, const Execution& execution = {}) const {
    require_fields(setting, "MutualNearest");
    std::vector<Match> matches = match_queries(base, problem, execution);
    Points<GridFrame> answers;
    for (const Match& match : matches) answers.push_back(match.cell);
    const FloatMatrix found = sample_descriptors(problem.target, answers, Query::nearest);
    const FeatureMap& source = problem.source;
    detail::in_blocks(
        found.rows(), execution,
        [&](Eigen::Index begin, Eigen::Index count, const Execution& inner, FloatMatrix& back) {
          const MatrixView rows(detail::row_of(found, begin), count, found.cols());
          detail::fill_similarity_rows(rows, source, back, inner);
          for (Eigen::Index i = 0; i < count; ++i) {
            const auto place = static_cast<std::size_t>(begin + i);
            const SimilarityMap map(detail::row_of(back, i), source.rows, source.cols);
            matches[place].mutual =
                matches[place].mutual && leads_home(map, problem.queries[place], inner);
          }
        });
    return matches;
  }

 private:
  bool leads_home(const SimilarityMap& back, Point<GridFrame> query,
                  const Execution& execution) const {
    if (!(largest_finite(back, execution) > -std::numeric_limits<float>::infinity())) return false;
    const auto home = find_peak(back, execution).cell();
    return (std::max)(std::abs(home.x - query.x), std::abs(home.y - query.y)) <= setting.tolerance;
  }
};

}  // namespace homolog::inline v0_1
