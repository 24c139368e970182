// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The contracts of the three policies. Each has a minimum that a policy must give and optional
/// members that are detected; what is missing is deduced from the minimum. `require_matcher` and
/// its siblings stop a wrong policy at one sentence that names the missing member.

#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "homolog/core/feature_map.hpp"
#include "homolog/core/input.hpp"
#include "homolog/core/points.hpp"

namespace homolog::inline v0_1 {

/// One source picture's queries against one target picture, all a matcher may want to look at.
struct MatchProblem {
  const FeatureMap& source;          ///< L2-normalised
  const FeatureMap& target;          ///< L2-normalised
  const Points<GridFrame>& queries;  ///< [N,2] cells of the source grid, fractional
  DescriptorView descriptors;        ///< [N,D] L2-normalised feature of each query
};

/// Matcher, minimum:
/// @code
/// struct MyMatcher {
///   homolog::Match operator()(const homolog::SimilarityMap& map) const {
///     const homolog::Peak peak = homolog::find_peak(map);  // kernels/peak.hpp
///     return {peak.cell(), peak.value};
///   }
/// };
/// @endcode
/// `map` is [rows, cols] cosine similarity with at least one finite value; padding is -infinity.
/// The call must be const and safe to make from several threads.
template <class M>
concept MapMatcher = requires(const M& matcher, const SimilarityMap& map) {
  { matcher(map) } -> std::convertible_to<Match>;
};

/// Optional: `std::optional<int> reach() const` says that an answer depends on the peak and on
/// cells within that many rows and columns of it only; nothing says that it may depend on all. The
/// matcher may then be given that part of a similarity map alone, which has the same peak.
template <class M>
concept LocalMatcher = MapMatcher<M> && requires(const M& matcher) {
  { matcher.reach() } -> std::convertible_to<std::optional<int>>;
};

/// Optional: `std::vector<Match> match(const MatchProblem&) const` sees both feature maps and the
/// queries' positions, for matchers that need more than one similarity map a query (mutual nearest
/// neighbour) or none at all (copied coordinates). It replaces the minimum where it is given.
template <class M>
concept ProblemMatcher = requires(const M& matcher, const MatchProblem& problem) {
  { matcher.match(problem) } -> std::convertible_to<std::vector<Match>>;
};

/// What a pipeline accepts as its matcher: the minimum, or the member that replaces it.
template <class M>
concept Matcher = MapMatcher<M> || ProblemMatcher<M>;

/// Optional: `static constexpr bool needs_features = false` marks a matcher that only reads
/// positions; the pipeline then runs no backbone at all.
template <class M>
constexpr bool needs_features() {
  if constexpr (requires { M::needs_features; }) {
    return M::needs_features;
  } else {
    return true;
  }
}

namespace detail {

template <class B>
concept HasPatchSize = requires(const B& backbone) {
  { backbone.patch_size() } -> std::convertible_to<int>;
};

template <class B>
concept TurnsBatchesIntoMaps = requires(const B& backbone, const InputBatch& batch) {
  { backbone(batch) } -> std::convertible_to<std::vector<FeatureMap>>;
};

// An optional member of another form, such as one that is not const, would be passed over.
template <class M>
concept HasReach = requires(M& matcher) {
  matcher.reach();
};
template <class M>
concept ReachFits = requires(const M& matcher) {
  { matcher.reach() } -> std::convertible_to<std::optional<int>>;
};

template <class B>
concept HasNormalization = requires(B& backbone) {
  backbone.normalization();
};
template <class B>
concept NormalizationFits = requires(const B& backbone) {
  { backbone.normalization() } -> std::convertible_to<Normalization>;
};

template <class B>
concept HasDefaultImageSize = requires(B& backbone) {
  backbone.default_image_size();
};
template <class B>
concept DefaultImageSizeFits = requires(const B& backbone) {
  { backbone.default_image_size() } -> std::convertible_to<int>;
};

}  // namespace detail

/// Backbone, minimum:
/// @code
/// struct MyBackbone {
///   int patch_size() const { return 16; }  // [px]
///   std::vector<homolog::FeatureMap> operator()(const homolog::InputBatch& batch) const;
/// };
/// @endcode
/// One FeatureMap of [height/patch, width/patch] cells a picture, any scale (the pipeline
/// L2-normalises). Optional: `homolog::Normalization normalization() const` (default ImageNet);
/// `int default_image_size() const`, the input side [px] to take where the user names none
/// (default: the largest multiple of the patch size up to 518).
template <class B>
concept Backbone = detail::HasPatchSize<B> && detail::TurnsBatchesIntoMaps<B>;

/// Optional: a backbone that normalises on its device itself also reads bytes, and says when it
/// would rather have them: `bool takes_bytes() const` and
/// `std::vector<homolog::FeatureMap> operator()(const homolog::ByteBatch& batch) const`. Both ways
/// give the same features.
template <class B>
concept ByteBackbone = Backbone<B> && requires(const B& backbone, const ByteBatch& batch) {
  { backbone.takes_bytes() } -> std::convertible_to<bool>;
  { backbone(batch) } -> std::convertible_to<std::vector<FeatureMap>>;
};

/// The statistics a backbone wants its input normalised with.
template <class B>
Normalization normalization_of(const B& backbone) {
  if constexpr (detail::NormalizationFits<B>) {
    return backbone.normalization();
  } else {
    return imagenet_normalization;
  }
}

/// The input side [px] a backbone wants where the user names none.
template <class B>
int default_image_size_of(const B& backbone) {
  if constexpr (detail::DefaultImageSizeFits<B>) {
    return backbone.default_image_size();
  } else {
    const int patch = backbone.patch_size();
    return patch < 1 ? 0 : (518 < patch ? patch : 518 / patch * patch);
  }
}

/// What a metric reads of one scored pair.
struct PairErrors {
  std::vector<double> distances;  ///< [px of the target picture] predicted to true, one a keypoint
  double threshold_scale = 0;     ///< [px] s of PCK: correct when distance <= alpha * s
};

/// Metric, minimum:
/// @code
/// struct MyMetric {
///   double operator()(std::span<const homolog::PairErrors> pairs, double alpha) const;
/// };
/// @endcode
/// Returns a fraction in [0, 1] and throws ValueError when there is nothing to average.
template <class M>
concept Metric = requires(const M& metric, std::span<const PairErrors> pairs, double alpha) {
  { metric(pairs, alpha) } -> std::convertible_to<double>;
};

/// Stops compilation with one sentence when `M` is no matcher.
template <class M>
constexpr void require_matcher() {
  static_assert(Matcher<M>,
                "homolog: a Matcher needs the member "
                "'Match operator()(const SimilarityMap& map) const'");
  static_assert(!detail::HasReach<M> || detail::ReachFits<M>,
                "homolog: a Matcher's optional member is 'std::optional<int> reach() const'");
}

/// Stops compilation with one sentence when `B` is no backbone.
template <class B>
constexpr void require_backbone() {
  static_assert(detail::HasPatchSize<B>,
                "homolog: a Backbone needs the member 'int patch_size() const'");
  static_assert(detail::TurnsBatchesIntoMaps<B>,
                "homolog: a Backbone needs the member "
                "'std::vector<FeatureMap> operator()(const InputBatch& batch) const'");
  static_assert(!detail::HasNormalization<B> || detail::NormalizationFits<B>,
                "homolog: a Backbone's optional member is 'Normalization normalization() const'");
  static_assert(!detail::HasDefaultImageSize<B> || detail::DefaultImageSizeFits<B>,
                "homolog: a Backbone's optional member is 'int default_image_size() const'");
}

/// Stops compilation with one sentence when `M` is no metric.
template <class M>
constexpr void require_metric() {
  static_assert(Metric<M>,
                "homolog: a Metric needs the member "
                "'double operator()(std::span<const PairErrors> pairs, double alpha) const'");
}

}  // namespace homolog::inline v0_1
