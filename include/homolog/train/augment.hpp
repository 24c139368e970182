// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Policies that change training pairs at random, with their keypoints carried along. No LibTorch.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "homolog/core/errors.hpp"
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
inline Image jitter_colour(const Image& image, double brightness, double contrast,
                           double saturation) {
  for (const double factor : {brightness, contrast, saturation}) {
    if (!(factor >= 0) || !std::isfinite(factor)) {
      throw SettingError(detail::text("jitter_colour: factor ", factor, ", expected at least 0"));
    }
  }
  const auto grey = [](const auto* p) {
    return 0.299 * static_cast<double>(p[0]) + 0.587 * static_cast<double>(p[1]) +
           0.114 * static_cast<double>(p[2]);
  };
  double mean = 0;
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) mean += grey(&image.pixels[i]);
  mean *= image.pixels.empty() ? 0 : brightness * 3 / static_cast<double>(image.pixels.size());
  Image result = image;
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    std::array<double, 3> pixel{};
    for (std::size_t c = 0; c < 3; ++c) {
      pixel[c] = mean + contrast * (brightness * image.pixels[i + c] - mean);
    }
    const double own = grey(pixel.data());
    for (std::size_t c = 0; c < 3; ++c) {
      const double value = own + saturation * (pixel[c] - own);
      result.pixels[i + c] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
    }
  }
  return result;
}

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
inline CropRange choose_crop(Size size, const Points<ImageFrame>& keypoints, double crop,
                             RandomStream& random) {
  require_inside(keypoints, size);
  const Box<ImageFrame> box = bounding_box(keypoints);
  const auto cut = [&](double margin) {
    return static_cast<int>(std::floor(crop * random.uniform() * (std::max)(margin, 0.0)));
  };
  const int left = cut(std::floor(box.x1)), right = cut(size.width - 1 - std::ceil(box.x2));
  const int top = cut(std::floor(box.y1)), bottom = cut(size.height - 1 - std::ceil(box.y2));
  return {left, top, size.width - right, size.height - bottom};
}

/// The part of a view that lies in a range.
///
/// @throws ShapeError when the range is empty or reaches outside the picture
inline AnnotatedImage crop_view(const AnnotatedImage& view, const CropRange& range) {
  if (range.x1 < 0 || range.y1 < 0 || range.x1 >= range.x2 || range.y1 >= range.y2 ||
      range.x2 > view.image.width || range.y2 > view.image.height) {
    throw ShapeError(detail::text("crop_view: [", range.x1, ", ", range.x2, ") x [", range.y1, ", ",
                                  range.y2, ") of a picture of ", view.image.width, "x",
                                  view.image.height));
  }
  AnnotatedImage result{Image(range.x2 - range.x1, range.y2 - range.y1), view.keypoints};
  for (int y = range.y1; y < range.y2; ++y) {
    std::copy_n(view.image.at(range.x1, y), 3 * static_cast<std::size_t>(range.x2 - range.x1),
                result.image.at(0, y - range.y1));
  }
  for (auto& point : result.keypoints) {
    point.x -= range.x1;
    point.y -= range.y1;
  }
  return result;
}

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
