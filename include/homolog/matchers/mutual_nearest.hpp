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

#include "homolog/core/field.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/kernels/peak.hpp"
#include "homolog/kernels/sample.hpp"
#include "homolog/kernels/similarity.hpp"
#include "homolog/matchers/match_queries.hpp"

namespace homolog::inline v0_1 {

/// Gives the answers of `base`, and sets Match::mutual to whether the way back leads home: the
/// feature of the answered cell is matched by argmax against the source map, and the cell found
/// lies within `tolerance` of the query in the maximum norm.
///
/// No answer is dropped or moved. An answer on a cell whose feature is not finite is not mutual.
template <class Base>
struct MutualNearest {
  /// What a user may change: how far from home the way back may end.
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

  /// An evaluation scores the mutual answers alone, too.
  static constexpr bool checks_mutual = true;

  /// @return [N] cells of the target grid
  /// @throws SettingError for a negative or NaN tolerance; otherwise as match_queries with `base`
  std::vector<Match> match(const MatchProblem& problem) const {
    require_fields(setting, "MutualNearest");
    std::vector<Match> matches = match_queries(base, problem);
    Points<GridFrame> answers;
    for (const Match& match : matches) answers.push_back(match.cell);
    const FloatMatrix found = sample_descriptors(problem.target, answers, Query::nearest);
    FloatMatrix back;
    constexpr std::size_t block = 128;
    for (std::size_t begin = 0; begin < matches.size(); begin += block) {
      const std::size_t count = (std::min)(block, matches.size() - begin);
      const DescriptorView rows(detail::row_of(found, static_cast<Eigen::Index>(begin)),
                                static_cast<Eigen::Index>(count), found.cols());
      detail::fill_similarity_rows(rows, problem.source, back, {}, thread_workspace());
      for (std::size_t i = 0; i < count; ++i) {
        Match& match = matches[begin + i];
        match.mutual =
            match.mutual && leads_home(detail::row_of(back, static_cast<Eigen::Index>(i)), problem,
                                       problem.queries[begin + i]);
      }
    }
    return matches;
  }

 private:
  bool leads_home(const float* back, const MatchProblem& problem, Point<GridFrame> query) const {
    const FeatureMap& source = problem.source;
    const auto cells = static_cast<std::size_t>(source.cells());
    if (!(detail::largest_finite(back, cells, best_instruction_set()) >
          -std::numeric_limits<float>::infinity())) {
      return false;
    }
    const auto home = find_peak(SimilarityMap(back, source.rows, source.cols)).cell();
    return (std::max)(std::abs(home.x - query.x), std::abs(home.y - query.y)) <= setting.tolerance;
  }
};

}  // namespace homolog::inline v0_1
