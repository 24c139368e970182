// SPDX-License-Identifier: Apache-2.0
#include "homolog/interop/opencv.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "homolog/images/resize.hpp"

using namespace homolog;
using namespace homolog::opencv;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr std::pair<int, int> sizes[] = {{1, 1}, {1, 7}, {7, 1}, {31, 18}, {64, 33}};

Image random_image(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> byte(0, 255);
  Image image(width, height);
  for (auto& value : image.pixels) value = static_cast<std::uint8_t>(byte(random));
  return image;
}

/// Random bytes of any type, with a border so that a region of it has padded rows.
cv::Mat random_mat(int width, int height, int type, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> byte(0, 255);
  cv::Mat mat(height, width, type);
  for (int y = 0; y < height; ++y) {
    std::generate_n(mat.ptr<std::uint8_t>(y), static_cast<std::size_t>(width) * mat.elemSize(),
                    [&] { return static_cast<std::uint8_t>(byte(random)); });
  }
  return mat;
}

/// The promised RGB value of a pixel, read by OpenCV's own indexing.
std::array<int, 3> rgb(const cv::Mat& mat, int x, int y) {
  if (mat.channels() == 1) {
    const int grey = mat.at<std::uint8_t>(y, x);
    return {grey, grey, grey};
  }
  if (mat.channels() == 3) {
    const auto& bgr = mat.at<cv::Vec3b>(y, x);
    return {bgr[2], bgr[1], bgr[0]};
  }
  const auto& bgra = mat.at<cv::Vec4b>(y, x);
  return {bgra[2], bgra[1], bgra[0]};
}

std::array<int, 3> rgb(const Image& image, int x, int y) {
  const std::uint8_t* pixel = image.at(x, y);
  return {pixel[0], pixel[1], pixel[2]};
}

MatchResult three_matches() {
  MatchResult result;
  result.points = {{1.5, 2.25}, {-0.5, 7}, {300, 0.125}};
  result.scores = {0.75F, -1, 1};
  result.mutual = {true, false, true};
  return result;
}

std::string refusal(const cv::Mat& mat) {
  try {
    to_image(mat);
  } catch (const ImageError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("A picture comes back from OpenCV as it went") {
  for (const auto& [width, height] : sizes) {
    const Image image = random_image(width, height, static_cast<unsigned>(width));
    CHECK(to_image(to_mat(image)) == image);
  }
}

TEST_CASE("A picture's Mat is BGR, and its memory its own") {
  Image image = random_image(13, 9, 1);
  const cv::Mat mat = to_mat(image);
  CHECK(mat.type() == CV_8UC3);
  CHECK(mat.dims == 2);
  CHECK(mat.cols == 13);
  CHECK(mat.rows == 9);
  const Image before = image;
  std::ranges::fill(image.pixels, std::uint8_t{0});
  for (int y = 0; y < before.height; ++y) {
    for (int x = 0; x < before.width; ++x) CHECK(rgb(mat, x, y) == rgb(before, x, y));
  }
}

TEST_CASE("Every pixel of a grey, BGR or BGRA Mat is read, in the middle of a larger Mat too") {
  for (const int type : {CV_8UC1, CV_8UC3, CV_8UC4}) {
    for (const auto& [width, height] : sizes) {
      const cv::Mat large = random_mat(width + 5, height + 4, type, 2);
      const cv::Mat region = large(cv::Rect(2, 3, width, height));
      REQUIRE((region.isContinuous() == (height == 1)));
      const Image image = to_image(region);
      REQUIRE(image.size() == Size{width, height});
      int wrong = 0;
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) wrong += rgb(image, x, y) != rgb(region, x, y);
      }
      CHECK(wrong == 0);
      CHECK(to_image(region.clone()) == image);
    }
  }
}

TEST_CASE("A view of a Mat is its memory, and is resized as a copy of it is") {
  for (const int type : {CV_8UC1, CV_8UC3, CV_8UC4}) {
    for (const auto& [width, height] : sizes) {
      cv::Mat large = random_mat(width + 5, height + 4, type, 3);
      const cv::Mat region = large(cv::Rect(2, 3, width, height));
      const ImageView view = image_view(region);
      CHECK(view.pixels == region.ptr<std::uint8_t>(0));
      CHECK(resize_image(view, {17, 12}) == resize_image(to_image(region), {17, 12}));
      large.setTo(cv::Scalar(7, 7, 7, 7));
      for (const auto byte : Image(view).pixels) CHECK(byte == 7);
    }
  }
}

TEST_CASE("A picture read from a Mat does not change with it") {
  cv::Mat mat = random_mat(6, 5, CV_8UC3, 3);
  const Image image = to_image(mat), before = image;
  mat.setTo(cv::Scalar(1, 2, 3));
  CHECK(image == before);
  CHECK(to_image(mat) != before);
}

TEST_CASE("Mats that are no 8-bit picture are refused by type and shape") {
  CHECK(refusal(cv::Mat()) != "no error");
  CHECK(refusal(cv::Mat(0, 5, CV_8UC3)).find("[0, 5]") != std::string::npos);
  const std::string message = refusal(cv::Mat(4, 5, CV_32FC3));
  CHECK(message.find("CV_32FC3 [4, 5]") != std::string::npos);
  CHECK(message.find("expected CV_8UC1, CV_8UC3") != std::string::npos);
  for (const int type : {CV_8SC3, CV_16UC1, CV_16SC3, CV_32SC1, CV_32FC1, CV_64FC4}) {
    CHECK(refusal(cv::Mat::zeros(4, 5, type)).find(cv::typeToString(type)) != std::string::npos);
  }
  for (const int channels : {2, 5}) {
    CHECK(refusal(cv::Mat(4, 5, CV_8UC(channels))).find("[4, 5]") != std::string::npos);
  }
  const int shape[] = {2, 3, 4};
  CHECK(refusal(cv::Mat(3, shape, CV_8UC1)).find("[2, 3, 4]") != std::string::npos);
  CHECK(refusal(cv::Mat(4, 5, CV_8UC3)) == "no error");
}

TEST_CASE("An empty picture gives an empty Mat, and one whose pixels do not fit is refused") {
  CHECK(to_mat(Image()).empty());
  Image image(4, 3);
  image.pixels.pop_back();
  CHECK_THROWS_AS(to_mat(image), ImageError);
  image = Image(4, 3);
  image.width = -4;
  image.height = -3;
  CHECK_THROWS_AS(to_mat(image), ImageError);
}

TEST_CASE("Keypoints come back as they went, with what float32 can hold") {
  std::mt19937 random(4);
  std::uniform_real_distribution<float> uniform(-10, 5000);
  Points<ImageFrame> points{{0, 0}, {-0.5, 0.5}};
  for (int i = 0; i < 200; ++i) points.push_back({uniform(random), uniform(random)});
  const std::vector<cv::KeyPoint> keypoints = to_keypoints(points, 7.5F);
  CHECK(to_points(keypoints) == points);
  std::vector<cv::Point2f> bare;
  cv::KeyPoint::convert(keypoints, bare);
  CHECK(to_points(bare) == points);
  for (const cv::KeyPoint& keypoint : keypoints) {
    CHECK(keypoint.size == 7.5F);
    CHECK(keypoint.angle == -1);
    CHECK(keypoint.response == 0);
  }
}

TEST_CASE("Doubles are rounded to the nearest float32") {
  const Points<ImageFrame> points{{1.0 / 3, 4000.0 + 1e-9}};
  const Points<ImageFrame> back = to_points(to_keypoints(points, 1));
  CHECK(back[0] == Point<ImageFrame>{static_cast<double>(1.0F / 3), 4000});
}

TEST_CASE("NaN and infinite keypoints are handed on unchanged, at their place") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<cv::KeyPoint> keypoints{{1, 2, 1}, {not_a_number, 4, 1}, {5, -infinity, 1}};
  const Points<ImageFrame> points = to_points(keypoints);
  REQUIRE(points.size() == 3);
  CHECK(points[0] == Point<ImageFrame>{1, 2});
  CHECK(std::isnan(points[1].x));
  CHECK(points[1].y == 4);
  CHECK(points[2] == Point<ImageFrame>{5, -infinity});
  const std::vector<cv::KeyPoint> back = to_keypoints(points, 1);
  CHECK(std::isnan(back[1].pt.x));
  CHECK(back[2].pt == keypoints[2].pt);
}

TEST_CASE("Matched keypoints carry their score as response") {
  const MatchResult result = three_matches();
  const std::vector<cv::KeyPoint> keypoints = to_keypoints(result, 3);
  REQUIRE(keypoints.size() == 3);
  CHECK(to_points(keypoints) == result.points);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(keypoints[i].response == result.scores[i]);
    CHECK(keypoints[i].size == 3);
  }
}

TEST_CASE("Matches are sorted by OpenCV as their scores are, best first") {
  const MatchResult result = three_matches();
  std::vector<cv::DMatch> matches = to_matches(result);
  REQUIRE(matches.size() == 3);
  for (int i = 0; i < 3; ++i) {
    const cv::DMatch& match = matches[static_cast<std::size_t>(i)];
    CHECK(match.queryIdx == i);
    CHECK(match.trainIdx == i);
    CHECK(match.imgIdx == 0);
    CHECK(match.distance == 1 - result.scores[static_cast<std::size_t>(i)]);
  }
  std::ranges::sort(matches, [](const auto& a, const auto& b) { return a < b; });
  CHECK(matches[0].queryIdx == 2);
  CHECK(matches[1].queryIdx == 0);
  CHECK(matches[2].queryIdx == 1);
}

TEST_CASE("mutual_only leaves out what failed the check and keeps the other indices") {
  MatchResult result = three_matches();
  const std::vector<cv::DMatch> matches = to_matches(result, true);
  REQUIRE(matches.size() == 2);
  CHECK(matches[0].queryIdx == 0);
  CHECK(matches[1].queryIdx == 2);
  CHECK(matches[1].trainIdx == 2);
  CHECK(matches[1].distance == 0);
  result.mutual.assign(3, false);
  CHECK(to_matches(result, true).empty());
  CHECK(to_matches(result).size() == 3);
}

TEST_CASE("Empty lists stay empty") {
  CHECK(to_points(std::vector<cv::KeyPoint>{}).empty());
  CHECK(to_points(std::vector<cv::Point2f>{}).empty());
  CHECK(to_keypoints(Points<ImageFrame>{}, 1).empty());
  CHECK(to_keypoints(MatchResult{}, 1).empty());
  CHECK(to_matches(MatchResult{}).empty());
}

TEST_CASE("A match result whose lists differ in length is refused") {
  MatchResult no_score = three_matches(), no_flag = three_matches();
  no_score.scores.pop_back();
  no_flag.mutual.pop_back();
  for (const MatchResult& result : {no_score, no_flag}) {
    CHECK_THROWS_AS(to_matches(result), ShapeError);
    CHECK_THROWS_AS(to_keypoints(result, 1), ShapeError);
  }
}
