// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Pictures, keypoints and matches as OpenCV's types, and back. This header is opt-in and needs no
/// LibTorch, and only the core module of OpenCV.
///
/// OpenCV counts pixels as ImageFrame does, the centre of pixel (0, 0) at (0, 0), so coordinates
/// are handed on as they are. It keeps them in float32: from homolog to OpenCV they are rounded,
/// the other way they are exact.

#include <cstddef>
#include <cstdint>
#include <opencv2/core.hpp>
#include <span>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/points.hpp"
#include "homolog/images/image.hpp"
#include "homolog/match.hpp"

namespace homolog::inline v0_1::opencv {

namespace detail {

/// @throws ShapeError when a MatchResult put together by hand has lists of different lengths
inline void require_one_a_point(const MatchResult& result) {
  const std::size_t count = result.points.size();
  if (result.scores.size() != count || result.mutual.size() != count) {
    throw ShapeError(homolog::detail::text("match result: ", result.scores.size(), " scores and ",
                                           result.mutual.size(), " mutual flags, expected ", count,
                                           " of each, one a point"));
  }
}

}  // namespace detail

/// An 8-bit grey [height, width], BGR [height, width, 3] or BGRA [height, width, 4] Mat as a
/// picture, without a copy: valid while the Mat keeps its memory. Rows may be padded (a region of a
/// larger Mat), and alpha is dropped, not blended.
///
/// @throws ImageError when the Mat is empty, has more than two dimensions, another depth than CV_8U
///   or another number of channels
inline ImageView image_view(const cv::Mat& mat) {
  const int channels = mat.channels();
  if (mat.empty() || mat.dims != 2 || mat.depth() != CV_8U ||
      (channels != 1 && channels != 3 && channels != 4)) {
    throw ImageError(homolog::detail::text(
        "image_view: a Mat of ", cv::typeToString(mat.type()), " ",
        homolog::shape_text(std::span(mat.size.p, static_cast<std::size_t>(mat.dims))),
        ", expected CV_8UC1, CV_8UC3 (BGR) or CV_8UC4 (BGRA) of [height, width], not empty"));
  }
  const PixelFormat format = channels == 1   ? PixelFormat::grey
                             : channels == 3 ? PixelFormat::bgr
                                             : PixelFormat::bgra;
  return {mat.data, {mat.cols, mat.rows}, format, static_cast<std::ptrdiff_t>(mat.step[0])};
}

/// Copies a Mat as image_view() takes it to an RGB picture that outlives it.
///
/// @throws ImageError as image_view()
inline Image to_image(const cv::Mat& mat) { return Image(image_view(mat)); }

/// Copies a picture to a CV_8UC3 BGR Mat [height, width, 3] with memory of its own; an empty
/// picture gives an empty Mat.
///
/// @throws ImageError when the picture's pixels are not width * height * 3 bytes
inline cv::Mat to_mat(const Image& image) {
  const auto width = static_cast<std::size_t>(image.width);
  const auto height = static_cast<std::size_t>(image.height);
  if (image.width < 0 || image.height < 0 || image.pixels.size() != width * height * 3) {
    throw ImageError(homolog::detail::text("to_mat: ", image.pixels.size(), " bytes, expected ",
                                           image.width, "x", image.height, "x3"));
  }
  cv::Mat mat(image.height, image.width, CV_8UC3);
  const std::uint8_t* from = image.pixels.data();
  for (int y = 0; y < image.height; ++y) {
    std::uint8_t* to = mat.ptr<std::uint8_t>(y);
    for (int x = 0; x < image.width; ++x, from += 3, to += 3) {
      to[0] = from[2];
      to[1] = from[1];
      to[2] = from[0];
    }
  }
  return mat;
}

/// Coordinates [N,2] of OpenCV points, in pixels of their picture; NaN is passed on unchanged, and
/// a function that matches it throws.
inline Points<ImageFrame> to_points(std::span<const cv::Point2f> points) {
  Points<ImageFrame> result;
  result.list.reserve(points.size());
  for (const cv::Point2f& point : points) {
    result.push_back({static_cast<double>(point.x), static_cast<double>(point.y)});
  }
  return result;
}

/// Coordinates [N,2] of OpenCV keypoints, in pixels of their picture; NaN is passed on unchanged,
/// and size, angle and response are dropped.
inline Points<ImageFrame> to_points(std::span<const cv::KeyPoint> keypoints) {
  Points<ImageFrame> result;
  result.list.reserve(keypoints.size());
  for (const cv::KeyPoint& keypoint : keypoints) {
    result.push_back({static_cast<double>(keypoint.pt.x), static_cast<double>(keypoint.pt.y)});
  }
  return result;
}

/// [N] OpenCV keypoints at points given in pixels of their picture, without an angle (-1) and with
/// response 0.
///
/// @param size [px] diameter of each keypoint's neighbourhood
inline std::vector<cv::KeyPoint> to_keypoints(const Points<ImageFrame>& points, float size) {
  std::vector<cv::KeyPoint> result;
  result.reserve(points.size());
  for (const auto& [x, y] : points) {
    result.emplace_back(static_cast<float>(x), static_cast<float>(y), size);
  }
  return result;
}

/// [N] OpenCV keypoints at the matched points, in pixels of the target picture, with the match's
/// score as response.
///
/// @param size [px] diameter of each keypoint's neighbourhood
/// @throws ShapeError when the result's lists differ in length
inline std::vector<cv::KeyPoint> to_keypoints(const MatchResult& result, float size) {
  detail::require_one_a_point(result);
  std::vector<cv::KeyPoint> keypoints = to_keypoints(result.points, size);
  for (std::size_t i = 0; i < keypoints.size(); ++i) keypoints[i].response = result.scores[i];
  return keypoints;
}

/// OpenCV matches of source keypoint i (queryIdx) with to_keypoints(result)[i] (trainIdx); distance
/// is 1 - score, in [0, 2], because OpenCV takes less as better.
///
/// @param mutual_only leaves out matches whose mutual check failed; the indices of the others stay
/// @return at most [N], in the order of the source keypoints
/// @throws ShapeError when the result's lists differ in length
inline std::vector<cv::DMatch> to_matches(const MatchResult& result, bool mutual_only = false) {
  detail::require_one_a_point(result);
  std::vector<cv::DMatch> matches;
  matches.reserve(result.points.size());
  for (std::size_t i = 0; i < result.points.size(); ++i) {
    if (mutual_only && !result.mutual[i]) continue;
    const int index = static_cast<int>(i);
    matches.emplace_back(index, index, 0, 1 - result.scores[i]);
  }
  return matches;
}

}  // namespace homolog::inline v0_1::opencv
