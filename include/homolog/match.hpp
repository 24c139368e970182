// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The shortest way: the points of one picture found in another by one call, with good defaults.
///
/// @code
/// const auto backbone = homolog::load_backbone("dinov2_vits14_pretrain.pth");
/// const auto found = homolog::match(backbone, source, target, {{120, 80}, {64, 100}});
/// @endcode

#include <cstddef>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "homolog/core/concepts.hpp"
#include "homolog/core/field.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/features/from_backbone.hpp"
#include "homolog/images/image.hpp"
#include "homolog/images/prepare.hpp"
#include "homolog/kernels/margins.hpp"
#include "homolog/kernels/sample.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/matchers/window_soft_argmax.hpp"

namespace homolog::inline v0_1 {

/// How pictures are prepared and queries read; the same for every policy.
struct PipelineSetting {
  Resize resize = Resize::squash;  ///< how a picture becomes an input; squash stretches it
  int image_size = 0;  ///< [px] input side; 0 takes the backbone's default_image_size_of()
  ResizeFilter filter = ResizeFilter::bicubic;  ///< how a picture is interpolated when resized
  Query query = Query::nearest;  ///< how a keypoint between cell centres reads its feature
  /// CPU threads. A matcher that reads single maps is then called from all of them. A matcher that
  /// reads whole problems is called once and is told the number, see Execution.
  int threads = 1;
  bool margin = false;  ///< also says by how much the best cell is better than the second

  /// The fields, for checks, JSON, options and tables. (A template, so that only sources that list
  /// them compile the list.)
  template <class S = PipelineSetting>
  static constexpr auto fields() {
    return std::tuple(
        Field{"resize", &S::resize, "how pictures become inputs"},
        Field{"image_size", &S::image_size,
              "input side in pixels, a multiple of the patch size; 0 takes the backbone's own",
              Allowed::not_negative},
        Field{"filter", &S::filter, "how pictures are interpolated when resized"},
        Field{"query", &S::query, "how the source feature is read"},
        Field{"threads", &S::threads, "CPU threads of the matcher", Allowed::positive},
        Field{"margin", &S::margin,
              "also say by how much each best cell's cosine beats the second best"});
  }
};

/// A picture's L2-normalised features with the transform between its pixels and their grid.
struct ImageFeatures {
  FeatureMap map;            ///< [rows, cols] cells of D floats
  FrameTransform transform;  ///< picture [px] <-> grid [cells]
};

/// Matched keypoints, one a query.
struct MatchResult {
  Points<ImageFrame> points;   ///< [N,2] pixels of the target picture, never outside its edges
  std::vector<float> scores;   ///< [N] cosine similarity at the peak
  std::vector<bool> mutual;    ///< [N] false where a mutual check was made and failed
  std::vector<float> margins;  ///< [N] see find_margins(); empty unless the setting asks for them
};

/// Stops where a keypoint cannot be matched.
///
/// @param image [px] size of the keypoints' picture
/// @throws PointError when there is none, or naming the first that is not finite or not within
/// [-0.5, width] x [-0.5, height]: half a pixel more than the edge, for annotations that count from
/// 1
inline void require_inside(const Points<ImageFrame>& points, Size image) {
  if (points.empty()) throw PointError("no keypoints were given");
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto [x, y] = points[i];
    if (!(x >= -0.5 && x <= image.width && y >= -0.5 && y <= image.height)) {
      throw PointError(detail::text("keypoint ", i, " (", x, ", ", y,
                                    ") is not inside its image of ", image.width, "x",
                                    image.height));
    }
  }
}

namespace detail {

/// Margins of queries, where the setting asks for them.
///
/// @throws SettingError for a matcher without features
template <class M>
std::vector<float> margins_of(MatrixView queries, const FeatureMap& target,
                              const PipelineSetting& setting) {
  if (!setting.margin) return {};
  if constexpr (needs_features<M>()) {
    return find_margins(queries, target, {setting.threads});
  } else {
    throw SettingError("margin: this matcher reads no features, which have no margin then");
  }
}

/// Answers as points inside the target picture.
///
/// @throws ValueError naming the first answer that is not finite
inline MatchResult to_image_points(const std::vector<Match>& matches,
                                   const FrameTransform& target) {
  MatchResult result;
  for (const Match& match : matches) {
    if (!is_finite(match.cell)) {
      throw ValueError(text("matcher: its answer to query ", result.points.size(), " is the cell (",
                            match.cell.x, ", ", match.cell.y, "), expected finite numbers"));
    }
    result.points.push_back(target.answer_to_image(match.cell));
    result.scores.push_back(match.score);
    result.mutual.push_back(match.mutual);
  }
  return result;
}

/// A problem's answers as points inside the target picture, with what the setting asks for.
template <class M>
MatchResult match_problem(const M& matcher, const MatchProblem& problem,
                          const FrameTransform& target, const PipelineSetting& setting) {
  MatchResult result = to_image_points(match_queries(matcher, problem, {setting.threads}), target);
  result.margins = margins_of<M>(problem.descriptors, problem.target, setting);
  return result;
}

}  // namespace detail

/// The transform that a picture of this size gets.
///
/// @param image [px]
/// @throws SettingError when `setting.image_size` is no multiple of the patch size, or the backbone
/// has none yet
template <class B>
FrameTransform picture_transform(const B& backbone, Size image,
                                 const PipelineSetting& setting = {}) {
  const int patch = backbone.patch_size();
  if (patch < 1) {
    throw SettingError(
        detail::text("backbone: its patch size is ", patch, "; were its weights loaded?"));
  }
  const int side = setting.image_size != 0 ? setting.image_size : default_image_size_of(backbone);
  const ImageTransform to_input = make_image_transform(image, setting.resize, side, patch);
  return {to_input, make_grid_transform(to_input.input, patch)};
}

namespace detail {

/// The transforms of pictures that one call of the backbone takes.
///
/// @throws SettingError as picture_transform() and require_memory() do
template <class B>
std::vector<FrameTransform> batch_transforms(const B& backbone, std::span<const ImageView> images,
                                             const PipelineSetting& setting) {
  std::vector<FrameTransform> transforms;
  for (const ImageView& image : images) {
    transforms.push_back(picture_transform(backbone, image.size(), setting));
  }
  if (!images.empty()) {
    require_memory(backbone, transforms.front(), static_cast<int>(images.size()),
                   "features: the picture");
  }
  return transforms;
}

}  // namespace detail

/// Features of pictures whose inputs have one size, in one call of the backbone.
///
/// @param images at least one
/// @throws ShapeError when the input sizes differ or the backbone's answer has another shape;
/// SettingError when the backbone would take more memory than there is
template <class B>
std::vector<ImageFeatures> image_features(const B& backbone, std::span<const ImageView> images,
                                          const PipelineSetting& setting = {}) {
  require_backbone<B>();
  const std::vector<FrameTransform> transforms =
      detail::batch_transforms(backbone, images, setting);
  std::vector<FeatureMap> maps = backbone_features(backbone, images, transforms, setting.filter);
  std::vector<ImageFeatures> result;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    result.push_back({std::move(maps[i]), transforms[i]});
  }
  return result;
}

/// Features of one picture, to be matched with those of many.
template <class B>
ImageFeatures image_features(const B& backbone, const ImageView& image,
                             const PipelineSetting& setting = {}) {
  return std::move(image_features(backbone, std::span(&image, 1), setting)[0]);
}

/// Finds the source keypoints in the target.
///
/// @param points [N,2] pixels of the source picture, N >= 1, as require_inside() takes them
/// @param matcher any Matcher; by default the paper's window soft-argmax, where Pipeline and the
/// command take Argmax
/// @return [N,2] pixels of the target picture, never outside its edges, with scores
/// @throws PointError for bad keypoints, ValueError for an answer of the matcher that is not
/// finite, and whatever the matcher throws
template <class M = WindowSoftArgmax>
MatchResult match(const ImageFeatures& source, const ImageFeatures& target,
                  const Points<ImageFrame>& points, const M& matcher = {},
                  const PipelineSetting& setting = {}) {
  require_matcher<M>();
  require_inside(points, source.transform.image.image);
  const Points<GridFrame> queries = source.transform.to_grid(points);
  FloatMatrix descriptors;
  if constexpr (needs_features<M>()) {
    descriptors = sample_descriptors(source.map, queries, setting.query);
  }
  const MatchProblem problem{source.map, target.map, queries, descriptors};
  return detail::match_problem(matcher, problem, target.transform, setting);
}

namespace detail {

/// A picture's features, or its grid alone for a matcher that reads none.
template <class M, class B>
ImageFeatures features_or_grid(const B& backbone, const ImageView& image,
                               const PipelineSetting& setting) {
  if constexpr (needs_features<M>()) {
    return image_features(backbone, image, setting);
  } else {
    const FrameTransform transform = picture_transform(backbone, image.size(), setting);
    return {bare_grid(transform), transform};
  }
}

}  // namespace detail

/// Finds the source keypoints in the target, from pictures; a matcher that reads no features runs
/// no backbone.
///
/// @param backbone any Backbone, such as load_backbone() gives
/// @param points [N,2] pixels of the source picture, N >= 1, as require_inside() takes them
/// @throws what image_features() and match() of features throw
template <class B, class M = WindowSoftArgmax>
MatchResult match(const B& backbone, const ImageView& source, const ImageView& target,
                  const Points<ImageFrame>& points, const M& matcher = {},
                  const PipelineSetting& setting = {}) {
  source.require_valid("match: source");
  target.require_valid("match: target");
  require_inside(points, source.size());
  return match(detail::features_or_grid<M>(backbone, source, setting),
               detail::features_or_grid<M>(backbone, target, setting), points, matcher, setting);
}

}  // namespace homolog::inline v0_1
