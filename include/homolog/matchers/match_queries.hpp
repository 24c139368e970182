// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Runs any matcher on any number of queries.

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/execution.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/kernels/bfloat16_scan.hpp"
#include "homolog/kernels/similarity.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// One answer of a matcher, whose call operator may take an Execution.
template <class M>
Match decode_map(const M& matcher, const SimilarityMap& map, const Execution& execution) {
  if constexpr (requires { matcher(map, execution); }) {
    return matcher(map, execution);
  } else {
    return matcher(map);
  }
}

/// Answers of a matcher that reads only cells within `reach` of the peak. The bfloat16 scan finds
/// the peaks, and float32 similarities are computed only around them.
template <class M>
std::vector<Match> match_near_peaks(const M& matcher, int reach, MatrixView descriptors,
                                    const FeatureMap& target, const Execution& execution) {
  const auto peaks = find_peaks(descriptors, target, execution);
  std::vector<Match> matches(peaks.size());
  const auto match_some = [&](std::size_t i, KernelWorkspace& own) {
    const auto place = static_cast<Eigen::Index>(i);
    const CellRange window{(std::max)(static_cast<int>(peaks[i].col) - reach, 0),
                           (std::max)(static_cast<int>(peaks[i].row) - reach, 0),
                           (std::min)(static_cast<int>(peaks[i].col) + reach + 1, target.cols),
                           (std::min)(static_cast<int>(peaks[i].row) + reach + 1, target.rows)};
    KernelWorkspace::Slot& slot = *own.room(1);
    FloatMatrix part = std::move(slot.similarity);  // in case the matcher calls this function
    if (reach == 0) {
      part.resize(1, 1);
      part(0, 0) = peaks[i].value;
    } else {
      similarity_near(row_of(descriptors, place), target, window, part, slot,
                      execution.instructions);
    }
    Match match = decode_map(matcher, SimilarityMap(part.data(), part.rows(), part.cols()),
                             execution.alone(own));
    own.room(1)->similarity = std::move(part);
    match.cell.x += window.x1;
    match.cell.y += window.y1;
    matches[i] = match;
  };
  // From top to bottom, so that neighbouring windows find their cells in a cache.
  KernelWorkspace& workspace = execution.memory();
  std::vector<std::uint32_t> order =
      std::move(workspace.order);  // for the same reason as slot.similarity
  order.resize(peaks.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(peaks[a].row, peaks[a].col) < std::pair(peaks[b].row, peaks[b].col);
  });
  constexpr std::size_t at_once = 16;
  execution.workers().run(execution.threads, (peaks.size() + at_once - 1) / at_once,
                          [&](std::size_t piece, std::size_t) {
                            KernelWorkspace& own =
                                execution.threads > 1 ? thread_workspace() : workspace;
                            const std::size_t end = (std::min)((piece + 1) * at_once, peaks.size());
                            for (std::size_t i = piece * at_once; i < end; ++i)
                              match_some(order[i], own);
                          });
  workspace.order = std::move(order);
  return matches;
}

/// The host path of a matcher that has only the tensor path; matchers/tensor/host_path.hpp
/// completes it.
template <class M>
struct HostPath;

/// Gives one answer per row of `similarity` [N, rows*cols].
template <class M>
void match_maps(const M& matcher, MatrixView similarity, Eigen::Index rows, Eigen::Index cols,
                const Execution& execution, Match* matches) {
  if constexpr (MapMatcher<M>) {
    for (Eigen::Index i = 0; i < similarity.rows(); ++i) {
      matches[i] = decode_map(matcher, SimilarityMap(row_of(similarity, i), rows, cols), execution);
    }
  } else {
    static_assert(
        requires { sizeof(HostPath<M>); },
        "homolog: this Matcher has its tensor path alone, which the host reaches through "
        "#include \"homolog/matchers/tensor/host_path.hpp\"");
    HostPath<M>{matcher}(similarity, rows, cols, matches);
  }
}

}  // namespace detail

/// Matches one similarity map [rows, cols], by whichever path the matcher has.
///
/// @throws ValueError when no value of `map` is finite; SettingError for an instruction set that
/// this machine does not have; whatever the matcher throws
template <class M>
Match match_map(const M& matcher, const SimilarityMap& map, const Execution& execution = {}) {
  require_matcher<M>();
  static_assert(MapMatcher<M> || TensorMatcher<M> || !ProblemMatcher<M>,
                "homolog: this Matcher reads both feature maps; call match_queries");
  require_supported(execution.instructions);
  Match match;
  detail::match_maps(matcher, SimilarityMap(map.data(), 1, map.size()), map.rows(), map.cols(),
                     execution, &match);
  return match;
}

/// Matches descriptors that were sampled before; for matchers that read one similarity map a query.
///
/// Similarities are made in blocks of at most 256 queries, still in a cache when the matcher reads
/// them. With several threads the matcher is called from all of them. Many queries of a
/// LocalMatcher are matched by a scan in bfloat16 when the processor supports it; peaks and
/// similarities are bitwise the same.
///
/// @param descriptors [N,D] L2-normalised
/// @param target L2-normalised, D features a cell
/// @return [N] cells of the target grid
/// @throws ShapeError when D differs or the map's sizes contradict each other; ValueError naming
/// the first query without any finite similarity; whatever the matcher throws
template <class M>
std::vector<Match> match_descriptors(const M& matcher, MatrixView descriptors,
                                     const FeatureMap& target, const Execution& execution = {}) {
  require_matcher<M>();
  std::vector<Match> matches;
  // A type that is not a matcher has already failed with one sentence; the body would only add more
  // errors.
  if constexpr (MapMatcher<M> || TensorMatcher<M>) {
    if constexpr (LocalMatcher<M>) {
      const std::optional<int> reach = matcher.reach();
      // Fewer queries are matched in less time than it takes to round the map.
      constexpr Eigen::Index worth_rounding = 24;
      constexpr int farthest = 8;
      if (reach && *reach >= 0 && *reach <= farthest && descriptors.rows() >= worth_rounding &&
          detail::scans_bfloat16(execution.instructions)) {
        return detail::match_near_peaks(matcher, *reach, descriptors, target, execution);
      }
    }
    matches.resize(static_cast<std::size_t>(descriptors.rows()));
    const auto match_rows = [&](Eigen::Index begin, Eigen::Index count, const Execution& inner,
                                FloatMatrix& similarity) {
      const MatrixView rows(descriptors.data() + begin * descriptors.cols(), count,
                            descriptors.cols());
      detail::fill_similarity_rows(rows, target, similarity, inner);
      detail::require_finite_rows(similarity, begin, inner);
      detail::match_maps(matcher, similarity, target.rows, target.cols, inner,
                         matches.data() + begin);
    };
    detail::in_blocks(descriptors.rows(), execution, match_rows);
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
                                 const Execution& execution = {}) {
  require_matcher<M>();
  const std::size_t count = problem.queries.size();
  if (needs_features<M>() && static_cast<std::size_t>(problem.descriptors.rows()) != count) {
    throw ShapeError(detail::text("match_queries: ", problem.descriptors.rows(),
                                  " descriptors for ", count, " queries"));
  }
  std::vector<Match> matches;
  if constexpr (ProblemMatcher<M>) {
    if constexpr (requires { matcher.match(problem, execution); }) {
      matches = matcher.match(problem, execution);
    } else {
      matches = matcher.match(problem);
    }
  } else if constexpr (MapMatcher<M> || TensorMatcher<M>) {
    matches = match_descriptors(matcher, problem.descriptors, problem.target, execution);
  }
  if (matches.size() != count) {
    throw ShapeError(detail::text("match_queries: the matcher gave ", matches.size(),
                                  " answers for ", count, " queries"));
  }
  return matches;
}

}  // namespace homolog::inline v0_1
