// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of train/augment.hpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/images/image.hpp"
#include "homolog/pipeline/pipeline.hpp"
#include "homolog/train/augment.hpp"
#include "homolog/train/random.hpp"

namespace homolog::inline v0_1 {

HOMOLOG_INLINE Image jitter_colour(const Image& image, double brightness, double contrast,
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

HOMOLOG_INLINE CropRange choose_crop(Size size, const Points<ImageFrame>& keypoints, double crop,
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

HOMOLOG_INLINE AnnotatedImage crop_view(const AnnotatedImage& view, const CropRange& range) {
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

}  // namespace homolog::inline v0_1
