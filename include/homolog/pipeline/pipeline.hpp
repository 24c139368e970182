// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Pipeline<Backbone, Matcher, Metric>: pictures and keypoints in, matched keypoints out.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/concepts.hpp"
#include "homolog/features/feature_source.hpp"
#include "homolog/match.hpp"
#include "homolog/matchers/argmax.hpp"
#include "homolog/metrics/pck.hpp"

namespace homolog::inline v0_1 {

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
  /// @throws as picture_transform()
  FrameTransform transform(Size image) const { return picture_transform(backbone, image, setting); }

  /// Features of pictures whose inputs have one size, in one call of the backbone.
  ///
  /// @param images at least one
  /// @throws as image_features()
  std::vector<ImageFeatures> features(std::span<const ImageView> images) const {
    require_pictures();
    return image_features(backbone, images, setting);
  }

  /// Features of one picture.
  ImageFeatures features(const ImageView& image) const {
    return std::move(features(std::span(&image, 1))[0]);
  }

  /// The features that a FeatureSource in the backbone's place has of one picture.
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

  /// Finds the source keypoints [N,2], pixels of the source picture, in the target; see
  /// homolog::match().
  MatchResult match(const ImageFeatures& source, const ImageFeatures& target,
                    const Points<ImageFrame>& points) const {
    return homolog::match(source, target, points, matcher, setting);
  }

  /// The same from pictures; a matcher that reads no features runs no backbone.
  MatchResult match(const ImageView& source, const ImageView& target,
                    const Points<ImageFrame>& points) const {
    if constexpr (needs_features<MatcherPolicy>()) require_pictures();
    return homolog::match(backbone, source, target, points, matcher, setting);
  }

 private:
  static constexpr void require_pictures() {
    static_assert(
        Backbone<BackbonePolicy>,
        "homolog: this policy is a FeatureSource, which has the features of picture files "
        "only; name a file and its size");
  }
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
