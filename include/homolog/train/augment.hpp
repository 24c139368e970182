// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Policies that change training pairs at random, with their keypoints carried along. No LibTorch.

#include <algorithm>
#include <concepts>
#include <tuple>
#include <utility>

#include "homolog/core/field.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/picture_set.hpp"
#include "homolog/images/image.hpp"
#include "homolog/images/prepare.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/train/random.hpp"

namespace homolog::inline v0_1 {

/// A picture with its keypoints.
struct AnnotatedImage {
  Image image;                   ///< RGB, 8 bits a channel
  Points<ImageFrame> keypoints;  ///< [N,2] px
};

/// An augmentation that changes pictures: `std::pair<AnnotatedImage, AnnotatedImage>
/// operator()(AnnotatedImage source, AnnotatedImage target, RandomStream& random) const`. The
/// frozen blocks run for every picture of every step.
template <class A>
concept ChangesViews = requires(const A& augment, AnnotatedImage view, RandomStream& random) {
  {
    augment(std::move(view), std::move(view), random)
    } -> std::convertible_to<std::pair<AnnotatedImage, AnnotatedImage>>;
};

/// An augmentation that mirrors both pictures of a pair or none: `bool mirrors(RandomStream&
/// random) const`. The frozen blocks' output of the mirrored pictures is kept like any other.
template <class A>
concept MirrorsPairs = requires(const A& augment, RandomStream& random) {
  { augment.mirrors(random) } -> std::convertible_to<bool>;
};

/// Augment, minimum: one of the two above. Who has both says by `bool changes_views() const` which
/// of them a training calls.
template <class A>
concept PairAugmentation = (ChangesViews<A> != MirrorsPairs<A>) ||
                           (ChangesViews<A> && requires(const A& augment) {
                             { augment.changes_views() } -> std::convertible_to<bool>;
                           });

/// Whether pictures get new pixels in each step.
template <PairAugmentation A>
bool changes_views(const A& augment) {
  if constexpr (ChangesViews<A> && MirrorsPairs<A>) {
    return augment.changes_views();
  } else {
    return ChangesViews<A>;
  }
}

namespace detail {

/// Keypoints of a mirrored picture, brought back inside: annotations may reach x = width, whose
/// mirror image is -1.
inline Points<ImageFrame> flip_points_inside(const Points<ImageFrame>& points, int width) {
  Points<ImageFrame> flipped = flip_points(points, width);
  for (auto& point : flipped) point.x = (std::max)(point.x, 0.0);
  return flipped;
}

}  // namespace detail

/// The view mirrored left to right; keypoints stay inside the picture.
inline AnnotatedImage flip_view(const AnnotatedImage& view) {
  return {flip_horizontally(view.image),
          detail::flip_points_inside(view.keypoints, view.image.width)};
}

/// Multiplies by `brightness`, then moves away from the picture's mean grey by `contrast`, then
/// from each pixel's grey by `saturation`; grey by ITU-R BT.601. Rounded and clamped once, at the
/// end; factors of 1 give the same picture.
///
/// @throws SettingError for a factor that is negative or not finite
Image jitter_colour(const Image& image, double brightness, double contrast, double saturation);

/// A part of a picture: pixels x1 to x2 - 1, y1 to y2 - 1.
struct CropRange {
  int x1 = 0;  ///< [px] first column
  int y1 = 0;  ///< [px] first row
  int x2 = 0;  ///< [px] behind the last column
  int y2 = 0;  ///< [px] behind the last row
  /// Equal when all members are.
  friend bool operator==(const CropRange&, const CropRange&) = default;
};

/// Draws a part of a picture that holds all keypoints: of the margin on each side of their bounding
/// box, a share between 0 and `crop` goes. Always four numbers of the stream.
///
/// @throws PointError for a keypoint outside the picture
CropRange choose_crop(Size size, const Points<ImageFrame>& keypoints, double crop,
                      RandomStream& random);

/// The part of a view that lies in a range.
///
/// @throws ShapeError when the range is empty or reaches outside the picture
AnnotatedImage crop_view(const AnnotatedImage& view, const CropRange& range);

/// Random mirroring, crops and colours. Without a change of its setting it leaves pairs as they
/// are.
struct Augmentation {
  /// What a user may change; zeros change nothing.
  struct Setting {
    /// Probability that both pictures of a pair are mirrored left to right. Both or none: a
    /// keypoint such as "left headlight" keeps its meaning only when both are.
    double flip = 0;
    double colour = 0;  ///< c in [0, 1): brightness, contrast and saturation within [1-c, 1+c]
    double crop = 0;    ///< in [0, 1]: largest part of the margin around the keypoints that goes

    /// The fields, for checks, JSON, options and tables.
    static constexpr auto fields() {
      return std::tuple(
          Field{"flip", &Setting::flip, "probability that a pair is mirrored",
                Allowed::not_negative, 1},
          Field{"colour", &Setting::colour,
                "strength of random brightness, contrast and saturation, 0 to 0.99",
                Allowed::not_negative, 0.99},
          Field{"crop", &Setting::crop,
                "largest part of the margin around the keypoints that is cut off, 0 to 1",
                Allowed::not_negative, 1});
    }
  };
  Setting setting;  ///< read at every call, which checks it

  /// True when pictures get new pixels each time; mirroring alone makes one other picture of each.
  ///
  /// @throws SettingError naming the value that is out of its range
  bool changes_views() const {
    require_fields(setting, "augmentation");
    return setting.colour > 0 || setting.crop > 0;
  }

  /// Draws whether a pair is mirrored: always one number of the stream.
  ///
  /// @throws SettingError
  bool mirrors(RandomStream& random) const {
    require_fields(setting, "augmentation");
    return random.uniform() < setting.flip;
  }

  /// Changes a pair: mirrored together, cropped and coloured each by itself.
  ///
  /// @throws SettingError, PointError
  std::pair<AnnotatedImage, AnnotatedImage> operator()(AnnotatedImage source, AnnotatedImage target,
                                                       RandomStream& random) const {
    const bool flip = mirrors(random);
    for (AnnotatedImage* view : {&source, &target}) {
      if (flip) *view = flip_view(*view);
      if (setting.crop > 0) {
        *view = crop_view(*view,
                          choose_crop(view->image.size(), view->keypoints, setting.crop, random));
      }
      if (setting.colour > 0) {
        const auto factor = [&] { return random.uniform(1 - setting.colour, 1 + setting.colour); };
        const double brightness = factor(), contrast = factor(), saturation = factor();
        view->image = jitter_colour(view->image, brightness, contrast, saturation);
      }
    }
    return {std::move(source), std::move(target)};
  }
};

}  // namespace homolog::inline v0_1

#ifndef HOMOLOG_COMPILED
#include "homolog/train/detail/augment_inl.hpp"
#endif
