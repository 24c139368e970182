// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Pipeline<Backbone, Matcher, Metric>: pictures and keypoints in, matched keypoints out.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/concepts.hpp"
#include "homolog/core/detail/available_memory.hpp"
#include "homolog/core/transforms.hpp"
#include "homolog/images/image.hpp"
#include "homolog/images/prepare.hpp"
#include "homolog/kernels/normalize.hpp"
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

namespace detail {

/// Cells that show any of the picture.
inline CellRange content_cells(const ImageTransform& image, int patch) {
  return {image.offset_x / patch, image.offset_y / patch,
          (image.offset_x + image.content.width + patch - 1) / patch,
          (image.offset_y + image.content.height + patch - 1) / patch};
}

/// A picture's grid without features, all that a matcher of positions reads.
inline FeatureMap bare_grid(const FrameTransform& transform) {
  FeatureMap map(transform.grid.rows, transform.grid.cols, 0);
  map.content = content_cells(transform.image, transform.grid.patch);
  return map;
}

/// @throws PointError naming the first point that is not finite or lies outside the picture
inline void require_inside(const Points<ImageFrame>& points, Size image) {
  if (points.empty()) throw PointError("no keypoints were given");
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto [x, y] = points[i];
    if (!(x >= -0.5 && x <= image.width && y >= -0.5 && y <= image.height)) {
      throw PointError(text("keypoint ", i, " (", x, ", ", y, ") is not inside its image of ",
                            image.width, "x", image.height));
    }
  }
}

/// Refuses a call of the backbone that would take more memory than there is.
///
/// @param who names the picture in the error
/// @throws SettingError that names picture, input, patches and memory
template <class B>
void require_memory(const B& backbone, const FrameTransform& transform, int pictures,
                    const std::string& who) {
  constexpr std::uint64_t always_there = std::uint64_t{256} << 20;
  const std::uint64_t needed = forward_bytes_of(backbone, transform.image.input, pictures);
  if (needed <= always_there) return;
  const auto available = available_memory();
  if (!available || needed <= *available) return;
  const auto gibibytes = [](std::uint64_t bytes) {
    return static_cast<double>((bytes * 10) >> 30) / 10;
  };
  throw SettingError(text(
      who, ", of ", transform.image.image.width, "x", transform.image.image.height,
      " px, becomes an input of ", transform.image.input.width, "x", transform.image.input.height,
      " px with ", transform.grid.rows * transform.grid.cols, " patches; ", pictures,
      " at once would take at least ", gibibytes(needed), " GiB, ", gibibytes(*available),
      " GiB are available; set a smaller image size (--image-size, with --resize squash or "
      "letterbox) or batch, or shrink the picture"));
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

  BackbonePolicy backbone;  ///< pictures to features
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
    if (!images.empty()) {
      detail::require_memory(backbone, transform(images.front()->size()),
                             static_cast<int>(images.size()), "features: the picture");
    }
    return features_that_fit(images);
  }

  /// The same features [rows*cols, D] a picture, without asking whether there is memory for the
  /// call: evaluate() asks once, before the first forward, as what is free goes up and down in a
  /// long run.
  ///
  /// @param images at least one, whose inputs have one size
  /// @throws ShapeError as features() does
  std::vector<ImageFeatures> features_that_fit(const std::vector<const Image*>& images) const {
    std::vector<ImageFeatures> result;
    if (images.empty()) throw ShapeError("features: no picture was given");
    for (const Image* image : images) result.push_back({{}, transform(image->size())});
    const Size input = result.front().transform.image.input;
    for (std::size_t i = 0; i < images.size(); ++i) {
      const ImageTransform& to_input = result[i].transform.image;
      if (to_input.input != input) {
        throw ShapeError(detail::text("features: picture ", i, " has input size ",
                                      to_input.input.width, "x", to_input.input.height,
                                      ", the batch has ", input.width, "x", input.height));
      }
    }
    std::vector<FeatureMap> maps = run_backbone(images, result, input);
    if (maps.size() != images.size()) {
      throw ShapeError(detail::text("backbone: ", maps.size(), " feature maps for ", images.size(),
                                    " pictures"));
    }
    for (std::size_t i = 0; i < maps.size(); ++i) {
      const GridTransform& grid = result[i].transform.grid;
      if (maps[i].rows != grid.rows || maps[i].cols != grid.cols ||
          maps[i].values.rows() != grid.rows * grid.cols || maps[i].values.cols() < 1) {
        throw ShapeError(detail::text("backbone: feature map of ", maps[i].rows, "x", maps[i].cols,
                                      " cells, expected ", grid.rows, "x", grid.cols));
      }
      normalize_rows(maps[i].values);
      maps[i].content = detail::content_cells(result[i].transform.image, backbone.patch_size());
      result[i].map = std::move(maps[i]);
    }
    return result;
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
    detail::require_inside(points, source.transform.image.image);
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
    detail::require_inside(points, source.size());
    if constexpr (needs_features<MatcherPolicy>()) {
      return match(this->features(source), this->features(target), points);
    } else {
      const FrameTransform from = transform(source.size()), to = transform(target.size());
      return match({detail::bare_grid(from), from}, {detail::bare_grid(to), to}, points);
    }
  }

 private:
  /// The backbone on pictures that all become inputs of one size, as bytes where it asks for them.
  std::vector<FeatureMap> run_backbone(const std::vector<const Image*>& images,
                                       const std::vector<ImageFeatures>& prepared,
                                       Size input) const {
    const int count = static_cast<int>(images.size());
    const auto for_each_picture = [&](const auto& prepare) {
      for (int i = 0; i < count; ++i) {
        const auto place = static_cast<std::size_t>(i);
        prepare(i, *images[place], prepared[place].transform.image);
      }
    };
    if constexpr (ByteBackbone<BackbonePolicy>) {
      if (backbone.takes_bytes()) {
        ByteBatch batch(count, input);
        for_each_picture([&](int i, const Image& image, const ImageTransform& to_input) {
          prepare_bytes(image, to_input, setting.filter, batch.picture(i));
          batch.content[static_cast<std::size_t>(i)] = {to_input.offset_x, to_input.offset_y,
                                                        to_input.content};
        });
        return backbone(batch);
      }
    }
    InputBatch batch(count, input);
    const Normalization normalization = normalization_of(backbone);
    for_each_picture([&](int i, const Image& image, const ImageTransform& to_input) {
      prepare_input(image, to_input, normalization, setting.filter, batch.picture(i));
    });
    return backbone(batch);
  }

  static constexpr void require_policies() {
    require_backbone<BackbonePolicy>();
    require_matcher<MatcherPolicy>();
    require_metric<MetricPolicy>();
  }
};

}  // namespace homolog::inline v0_1
