// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A matcher that ignores the pictures: the baseline that every backbone has to beat.

#include <cstddef>
#include <string_view>
#include <tuple>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/kernels/detail/check.hpp"

namespace homolog::inline v0_1 {

/// Answers with the query's own relative position in the target picture; needs no features.
///
/// The position is relative to the content cells of both grids and maps edges to edges. It is exact
/// when the picture fills its grid (squash, native); under letterbox and longest_side the picture
/// ends inside a cell, and the error is less than a cell.
struct CopyCoordinates {
  /// The name that from_name() takes for this matcher.
  static constexpr std::string_view name = "copy-coordinates";
  /// Nothing to set.
  struct Setting {
    /// No fields.
    static constexpr auto fields() { return std::tuple<>(); }
  };
  Setting setting;  ///< empty, there for uniformity with other matchers

  /// The pipeline runs no backbone; the maps of a MatchProblem have sizes and content, no values.
  static constexpr bool needs_features = false;

  /// @return [N] cells of the target grid, score 0
  /// @throws ShapeError when the content of a map is empty or outside its grid; PointError naming
  /// the first query that is not finite
  std::vector<Match> match(const MatchProblem& problem) const {
    detail::require_content(problem.source, "CopyCoordinates: source");
    detail::require_content(problem.target, "CopyCoordinates: target");
    const CellRange& from = problem.source.content;
    const CellRange& to = problem.target.content;
    const double scale_x = static_cast<double>(to.x2 - to.x1) / (from.x2 - from.x1);
    const double scale_y = static_cast<double>(to.y2 - to.y1) / (from.y2 - from.y1);
    std::vector<Match> matches;
    matches.reserve(problem.queries.size());
    for (std::size_t i = 0; i < problem.queries.size(); ++i) {
      const Point<GridFrame> query = problem.queries[i];
      if (!is_finite(query)) {
        throw PointError(detail::text("CopyCoordinates: query ", i, " (", query.x, ", ", query.y,
                                      ") is not finite"));
      }
      matches.push_back({{(query.x + 0.5 - from.x1) * scale_x + to.x1 - 0.5,
                          (query.y + 0.5 - from.y1) * scale_y + to.y1 - 0.5},
                         0});
    }
    return matches;
  }
};

}  // namespace homolog::inline v0_1
