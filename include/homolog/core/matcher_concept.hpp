// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The contract of matchers. `require_matcher` stops the compilation of any other type with one
/// sentence that names the missing member.

#include <concepts>
#include <optional>
#include <type_traits>
#include <vector>

#include "homolog/core/detail/policy_members.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/points.hpp"

namespace at {
class Tensor;  // LibTorch's, which a matcher may name without it
}

namespace homolog::inline v0_1 {

struct Execution;   // core/execution.hpp
struct TargetMade;  // kernels/target_made.hpp

/// The queries of one source picture that are matched against one target picture, with all data
/// that a matcher may need. It holds references: both maps, the queries and the descriptors' memory
/// must outlive it.
struct MatchProblem {
  const FeatureMap& source;          ///< [rows, cols, D] L2-normalised
  const FeatureMap& target;          ///< [rows, cols, D] L2-normalised
  const Points<GridFrame>& queries;  ///< [N,2] cells of the source grid, fractional
  MatrixView descriptors;            ///< [N,D] L2-normalised feature of each query
  /// Data that matchers compute from the target alone, kept for later problems with the same
  /// target. It belongs to the caller, who must pass a new one for each target; with null nothing
  /// is kept.
  TargetMade* made = nullptr;
};

namespace detail {

/// Whether a member `decode` has the exact type of the tensor path. `at::Tensor` may be incomplete,
/// so that the answer does not depend on which headers a source includes.
template <class M>
constexpr bool decode_fits() {
  if constexpr (requires { &M::decode; }) {
    return is_const_member<decltype(&M::decode), at::Tensor, at::Tensor>();
  } else {
    return false;
  }
}

/// The call operator that gives the same answer as `decode`.
template <class M>
constexpr CallOperator call_of_decode() {
  if constexpr (!names_call<M>()) {
    return CallOperator::known;
  } else if constexpr (requires { &M::decode; }) {
    return call_beside<M, decltype(&M::decode), Match, SimilarityMap>();
  } else {
    return CallOperator::unknown;
  }
}

/// The call operator that `reach()` describes.
template <class M>
constexpr CallOperator call_of_reach() {
  if constexpr (requires { &M::reach; }) {
    return call_beside<M, decltype(&M::reach), Match, SimilarityMap>();
  } else {
    return CallOperator::unknown;
  }
}

}  // namespace detail

/// The minimum of a matcher is one call operator:
/// @code
/// struct MyMatcher {
///   homolog::Match operator()(const homolog::SimilarityMap& map) const {
///     const homolog::Peak peak = homolog::find_peak(map);  // kernels/peak.hpp
///     return {peak.cell(), peak.value};
///   }
/// };
/// @endcode
/// `map` is [rows, cols] cosine similarity with at least one finite value; padding is -infinity.
/// The call must be const and safe to make from several threads. It may take a second argument,
/// `const homolog::Execution&`, which says with which instructions and in which memory to run.
///
/// Or, for a matcher that is also trained and runs on any device, the tensor path:
/// @code
///   at::Tensor decode(const at::Tensor& similarity) const;
/// @endcode
/// `similarity` is [N, rows, cols], floating, on any device, padding and what is not finite as
/// -infinity; the result is [N,2], x and y in cells of the target grid. Where a matcher has both,
/// they give the same answer, also where cells are equal. Ties: the lowest row-major index comes
/// first, as at::argmax and a stable at::sort have it; at::topk does not keep it. A matcher that
/// has only the tensor path is used on the host through matchers/tensor/host_path.hpp, and its
/// score is the similarity at the peak. `decode` must not be a template, and the class that
/// declares it must also declare the call operator: an inherited `decode` does not count in a class
/// with a new call operator.
template <class M>
concept MapMatcher = requires(const M& matcher, const SimilarityMap& map) {
  { matcher(map) } -> std::convertible_to<Match>;
}
|| requires(const M& matcher, const SimilarityMap& map, const Execution& execution) {
  { matcher(map, execution) } -> std::convertible_to<Match>;
};

/// A matcher with the tensor path that is described above.
template <class M>
concept TensorMatcher = detail::decode_fits<M>() && detail::call_of_decode<M>()
== detail::CallOperator::known;

/// Optional: `std::optional<int> reach() const` says that an answer depends on the peak and on
/// cells within that many rows and columns of it only; std::nullopt says that it may depend on all
/// cells. The matcher may then be given only that part of a similarity map, which has the same
/// peak. `reach()` must be declared in the class that declares the call operator or in a class
/// derived from it, because an inherited `reach()` describes the base class's call operator.
template <class M>
concept LocalMatcher = MapMatcher<M> && requires(const M& matcher) {
  { matcher.reach() } -> std::convertible_to<std::optional<int>>;
} && detail::call_of_reach<M>()
== detail::CallOperator::known;

/// Optional: `std::vector<Match> match(const MatchProblem&) const` sees both feature maps and the
/// queries' positions, for matchers that need more than one similarity map a query (mutual nearest
/// neighbour) or none at all (copied coordinates). It replaces the minimum where it is given. It
/// may take `const homolog::Execution&` as second argument, whose threads it may use.
template <class M>
concept ProblemMatcher = requires(const M& matcher, const MatchProblem& problem) {
  { matcher.match(problem) } -> std::convertible_to<std::vector<Match>>;
}
|| requires(const M& matcher, const MatchProblem& problem, const Execution& execution) {
  { matcher.match(problem, execution) } -> std::convertible_to<std::vector<Match>>;
};

/// What a pipeline accepts as its matcher: one of the two paths, or the member that replaces them.
template <class M>
concept Matcher = MapMatcher<M> || TensorMatcher<M> || ProblemMatcher<M>;

namespace detail {

template <class M>
concept NeedsFeaturesFits = requires {
  typename std::bool_constant<M::needs_features>;
};

template <class M>
concept ChecksMutualFits = requires {
  typename std::bool_constant<M::checks_mutual>;
};

template <class M>
concept ReachFits = requires(const M& matcher) {
  { matcher.reach() } -> std::convertible_to<std::optional<int>>;
};

/// Whether `match` is inherited by a class that declares a new call operator, which would then
/// never be called.
template <class M>
constexpr bool hides_call() {
  if constexpr (requires {
                  &M::match;
                  &M::operator();
                }) {
    using C = typename DeclaringClass<decltype(&M::match)>::Type;
    return call_operator_of<M, C, void>() == CallOperator::newer;
  } else {
    return false;
  }
}

}  // namespace detail

/// Optional: `static constexpr bool checks_mutual = true` marks a matcher that sets Match::mutual;
/// an evaluation then also scores the mutual answers alone.
template <class M>
constexpr bool checks_mutual() {
  if constexpr (detail::ChecksMutualFits<M>) {
    return M::checks_mutual;
  } else {
    return false;
  }
}

/// Optional: `static constexpr bool needs_features = false` marks a matcher that only reads
/// positions; the pipeline then runs no backbone at all.
template <class M>
constexpr bool needs_features() {
  if constexpr (detail::NeedsFeaturesFits<M>) {
    return M::needs_features;
  } else {
    return true;
  }
}

/// Stops compilation with one sentence when `M` is no matcher.
template <class M>
constexpr void require_matcher() {
  static_assert(!detail::names_decode<M>() || detail::decode_fits<M>(),
                "homolog: a Matcher's tensor path is the member, no template, "
                "'at::Tensor decode(const at::Tensor& similarity) const'");
  static_assert(!detail::decodes_beside_older_call<M>(),
                "homolog: this Matcher inherits its call operator beside a decode() of its own; "
                "declare 'Match operator()(const SimilarityMap& map) const' beside that");
  static_assert(!detail::decodes_beside_older_match<M>(),
                "homolog: this Matcher inherits match() beside a decode() of its own; declare "
                "'std::vector<Match> match(const MatchProblem& problem) const' beside that");
  static_assert(detail::names_call<M>() ? MapMatcher<M> || ProblemMatcher<M>
                                        : Matcher<M> || detail::names_decode<M>(),
                "homolog: a Matcher needs the member "
                "'Match operator()(const SimilarityMap& map) const'");
  static_assert(!detail::names_reach<M>() || detail::ReachFits<M>,
                "homolog: a Matcher's optional member is 'std::optional<int> reach() const'");
  static_assert(detail::call_of_reach<M>() != detail::CallOperator::newer,
                "homolog: this Matcher inherits reach() beside a call operator of its own; declare "
                "'std::optional<int> reach() const' beside that");
  static_assert(!detail::names_match<M>() || ProblemMatcher<M>,
                "homolog: a Matcher's optional member is "
                "'std::vector<Match> match(const MatchProblem& problem) const'");
  static_assert(
      !detail::hides_call<M>(),
      "homolog: this Matcher inherits match(), which replaces its own call operator; "
      "declare 'std::vector<Match> match(const MatchProblem& problem) const' beside that");
  static_assert(!detail::names_needs_features<M>() || detail::NeedsFeaturesFits<M>,
                "homolog: a Matcher's optional member is 'static constexpr bool needs_features'");
  static_assert(!detail::names_checks_mutual<M>() || detail::ChecksMutualFits<M>,
                "homolog: a Matcher's optional member is 'static constexpr bool checks_mutual'");
}

/// Stops compilation with one sentence when `M` is no matcher that can be trained.
template <class M>
constexpr void require_tensor_matcher() {
  require_matcher<M>();
  static_assert(TensorMatcher<M>,
                "homolog: this Matcher has no tensor path and does not train; beside its call "
                "operator it needs the member "
                "'at::Tensor decode(const at::Tensor& similarity) const'");
}

}  // namespace homolog::inline v0_1
