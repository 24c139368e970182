// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Runs any matcher on any number of queries.

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "homolog/core/concepts.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/kernels/similarity.hpp"

namespace homolog {

/// Matches descriptors that were sampled before; for matchers that read one similarity map a query.
///
/// Similarities are made in blocks of at most 256 queries, still in a cache when the matcher reads
/// them. With several threads the matcher is called from all of them.
///
/// @param descriptors [N,D] L2-normalised
/// @param target L2-normalised, D features a cell
/// @return [N] cells of the target grid
/// @throws ShapeError when D differs or the map's sizes contradict each other; ValueError naming
/// the first query without any finite similarity; whatever the matcher throws
template <class M>
std::vector<Match> match_descriptors(const M& matcher, DescriptorView descriptors,
                                     const FeatureMap& target, const KernelSetting& setting = {},
                                     KernelWorkspace& workspace = thread_workspace()) {
  require_matcher<M>();
  std::vector<Match> matches;
  // A type that is no matcher has its sentence already; the body would only add noise to it.
  if constexpr (MapMatcher<M>) {
    matches.resize(static_cast<std::size_t>(descriptors.rows()));
    const auto match_rows = [&](Eigen::Index begin, Eigen::Index count, const KernelSetting& inner,
                                KernelWorkspace& own, FloatMatrix& similarity) {
      const DescriptorView rows(descriptors.data() + begin * descriptors.cols(), count,
                                descriptors.cols());
      detail::fill_similarity_rows(rows, target, similarity, inner, own);
      detail::require_finite_rows(similarity, begin);
      for (Eigen::Index i = 0; i < count; ++i) {
        matches[static_cast<std::size_t>(begin + i)] =
            matcher(SimilarityMap(similarity.row(i).data(), target.rows, target.cols));
      }
    };
    detail::in_blocks(descriptors.rows(), setting, workspace, match_rows);
  } else {
    static_assert(!ProblemMatcher<M>,
                  "homolog: this Matcher reads both feature maps; call match_queries");
  }
  return matches;
}

/// Matches all queries of a problem, with the matcher's own `match` where it has one.
///
/// @return [N] cells of the target grid, in the order of `problem.queries`
/// @throws ShapeError when the numbers of queries, descriptors and answers differ, or as
/// match_descriptors; ValueError naming the first query without any finite similarity; whatever the
/// matcher throws
template <class M>
std::vector<Match> match_queries(const M& matcher, const MatchProblem& problem,
                                 const KernelSetting& setting = {}) {
  require_matcher<M>();
  const std::size_t count = problem.queries.size();
  if (needs_features<M>() && static_cast<std::size_t>(problem.descriptors.rows()) != count) {
    throw ShapeError(detail::text("match_queries: ", problem.descriptors.rows(),
                                  " descriptors for ", count, " queries"));
  }
  std::vector<Match> matches;
  if constexpr (ProblemMatcher<M>) {
    matches = matcher.match(problem);
  } else if constexpr (MapMatcher<M>) {
    matches = match_descriptors(matcher, problem.descriptors, problem.target, setting);
  }
  if (matches.size() != count) {
    throw ShapeError(detail::text("match_queries: the matcher gave ", matches.size(),
                                  " answers for ", count, " queries"));
  }
  return matches;
}

}  // namespace homolog
