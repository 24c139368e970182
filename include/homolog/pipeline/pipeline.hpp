// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Pipeline<Backbone, Matcher, Metric>: pictures and keypoints in, matched keypoints out.

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/concepts.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/features/feature_source.hpp"
#include "homolog/features/from_backbone.hpp"
#include "homolog/images/image.hpp"
#include "homolog/images/prepare.hpp"
#include "homolog/kernels/sample.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/matchers/match_queries.hpp"
#include "homolog/metrics/pck.hpp"

namespace homolog::inline v0_1 {

/// How pictures are prepared and queries read; the same for every policy.
struct PipelineSetting {
  Resize resize = Resize::squash;  ///< how a picture becomes an input; squash stretches it
  int image_size = 0;  ///< [px] input side; 0 takes the backbone's default_image_size_of()
  ResizeFilter filter = ResizeFilter::bicubic;  ///< that pictures are resized with
  Query query = Query::nearest;  ///< how a keypoint between cell centres reads its feature
  /// CPU threads that match; with several a matcher of single maps is called from all of them, one
  /// that reads whole problems from one.
  int threads = 1;
};

/// A picture's L2-normalised features with the transform between its pixels and their grid.
struct ImageFeatures {
  FeatureMap map;            ///< [rows, cols] cells of D floats
  FrameTransform transform;  ///< picture [px] <-> grid [cells]
};

/// Matched keypoints, one a query.
struct MatchResult {
  Points<ImageFrame> points;  ///< [N,2] pixels of the target picture, never outside its edges
  std::vector<float> scores;  ///< [N] cosine similarity at the peak
  std::vector<bool> mutual;   ///< [N] false where a mutual check was made and failed
};

/// Stops where a keypoint cannot be matched.
///
/// @param image [px] size of the keypoints' picture
/// @throws PointError when there is none, or naming the first that is not finite or lies outside
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

}  // namespace detail

/// A backbone, a matcher and a metric composed at compile time; the three are public members, to be
/// set up in place.
///
/// @code
/// homolog::Pipeline<homolog::DinoV2, homolog::WindowSoftArgmax> pipeline;
/// pipeline.backbone.load("dinov2_vits14_pretrain.pth");
/// pipeline.matcher.setting.window_radius = 3;
/// const auto result = pipeline.match(source, target, keypoints);  // target pixels, scores
/// @endcode
template <class BackbonePolicy, class MatcherPolicy = Argmax, class MetricPolicy = PckPerPoint>
struct Pipeline {
  /// Default-constructed policies, for those that have them.
  Pipeline() { require_policies(); }
  /// Policies that are set up already.
  explicit Pipeline(BackbonePolicy backbone_, MatcherPolicy matcher_ = {},
                    MetricPolicy metric_ = {})
      : backbone(std::move(backbone_)), matcher(std::move(matcher_)), metric(std::move(metric_)) {
    require_policies();
  }

  BackbonePolicy backbone;  ///< pictures to features; or a FeatureSource, for evaluate()
  MatcherPolicy matcher;    ///< similarity maps, or whole problems, to matches
  MetricPolicy metric;      ///< what evaluate() scores with, beside both forms of PCK
  PipelineSetting setting;  ///< may be changed between calls

  /// The transform a picture of this size gets.
  ///
  /// @throws SettingError when `setting.image_size` is no multiple of the patch size, or the
  /// backbone has none yet
  FrameTransform transform(Size image) const {
    const int patch = backbone.patch_size();
    if (patch < 1) {
      throw SettingError(
          detail::text("backbone: its patch size is ", patch, "; were its weights loaded?"));
    }
    const int side = setting.image_size != 0 ? setting.image_size : default_image_size_of(backbone);
    const ImageTransform to_input = make_image_transform(image, setting.resize, side, patch);
    return {to_input, make_grid_transform(to_input.input, patch)};
  }

  /// Features of pictures whose inputs have one size, in one call of the backbone.
  ///
  /// @param images at least one
  /// @throws ShapeError when the input sizes differ or the backbone's answer has another shape;
  /// SettingError when the backbone would take more memory than there is
  std::vector<ImageFeatures> features(const std::vector<const Image*>& images) const {
    static_assert(
        Backbone<BackbonePolicy>,
        "homolog: this policy is a FeatureSource, which has the features of picture files "
        "only; name a file and its size");
    std::vector<FrameTransform> transforms;
    for (const Image* image : images) transforms.push_back(transform(image->size()));
    if (!images.empty()) {
      require_memory(backbone, transforms.front(), static_cast<int>(images.size()),
                     "features: the picture");
    }
    std::vector<FeatureMap> maps = backbone_features(backbone, images, transforms, setting.filter);
    std::vector<ImageFeatures> result;
    for (std::size_t i = 0; i < maps.size(); ++i) {
      result.push_back({std::move(maps[i]), transforms[i]});
    }
    return result;
  }

  /// What a FeatureSource in the backbone's place has of one picture.
  ///
  /// @param path of the picture's file, as the source knows it
  /// @param picture its width and height [px]
  /// @throws ShapeError when the source's answer has another shape; what the source throws
  ImageFeatures features(const std::string& path,
                         Size picture) const requires FeatureSource<BackbonePolicy> {
    const PictureId id{path, false, transform(picture)};
    std::vector<FeatureMap> maps = backbone(std::span(&id, 1));
    finish_maps(maps, std::span(&id.transform, 1), "feature source");
    return {std::move(maps[0]), id.transform};
  }

  /// Features of one picture.
  ImageFeatures features(const Image& image) const { return std::move(features({&image})[0]); }

  /// Finds the source keypoints in the target.
  ///
  /// @param points [N,2] pixels of the source picture, finite and inside it, N >= 1
  /// @return [N,2] pixels of the target picture, never outside its edges, with scores
  /// @throws PointError for bad keypoints, ValueError for an answer of the matcher that is not
  /// finite, and whatever the policies throw
  MatchResult match(const ImageFeatures& source, const ImageFeatures& target,
                    const Points<ImageFrame>& points) const {
    require_inside(points, source.transform.image.image);
    const Points<GridFrame> queries = source.transform.to_grid(points);
    FloatMatrix descriptors;
    if constexpr (needs_features<MatcherPolicy>()) {
      descriptors = sample_descriptors(source.map, queries, setting.query);
    }
    const MatchProblem problem{source.map, target.map, queries, descriptors};
    return detail::to_image_points(match_queries(matcher, problem, {setting.threads}),
                                   target.transform);
  }

  /// Finds the source keypoints in the target, from pictures; a matcher that reads no features runs
  /// no backbone.
  MatchResult match(const Image& source, const Image& target,
                    const Points<ImageFrame>& points) const {
    require_inside(points, source.size());
    if constexpr (needs_features<MatcherPolicy>()) {
      return match(this->features(source), this->features(target), points);
    } else {
      const FrameTransform from = transform(source.size()), to = transform(target.size());
      return match({bare_grid(from), from}, {bare_grid(to), to}, points);
    }
  }

 private:
  static constexpr void require_policies() {
    if constexpr (detail::CallTakesPictures<BackbonePolicy>) {
      require_feature_source<BackbonePolicy>();
    } else {
      require_backbone<BackbonePolicy>();
    }
    require_default_image_size<BackbonePolicy>();
    require_matcher<MatcherPolicy>();
    require_metric<MetricPolicy>();
  }
};

}  // namespace homolog::inline v0_1
