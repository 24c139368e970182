// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The shortest way for whole pictures: every patch, or every pixel, of one picture found in
/// another.

#include <algorithm>
#include <cstddef>

#include "homolog/core/errors.hpp"
#include "homolog/kernels/target_made.hpp"
#include "homolog/match.hpp"

namespace homolog::inline v0_1 {

/// Which points of the source are matched.
struct DenseSetting {
  /// [px] 0 matches the centre of each patch; 1 every pixel, k every k-th from column and row 0.
  int step = 0;
};

/// Matches of a lattice of source points.
struct DenseMatches {
  int rows = 0;               ///< of the lattice
  int cols = 0;               ///< of the lattice
  Points<ImageFrame> source;  ///< [rows*cols,2] pixels of the source picture, row by row
  MatchResult target;         ///< [rows*cols] where each of them lies in the target picture
};

namespace detail {

/// The lattice of `setting` over a picture, its points in pixels and in cells.
inline DenseMatches dense_lattice(const FrameTransform& source, const CellRange& shown,
                                  const DenseSetting& setting, Points<GridFrame>& cells) {
  if (setting.step < 0) {
    throw SettingError(text("match_dense: step is ", setting.step, ", expected at least 0 pixels"));
  }
  DenseMatches result;
  const Size picture = source.image.image;
  const int step = (std::max)(setting.step, 1);
  result.rows = setting.step == 0 ? shown.y2 - shown.y1 : (picture.height - 1) / step + 1;
  result.cols = setting.step == 0 ? shown.x2 - shown.x1 : (picture.width - 1) / step + 1;
  for (int row = 0; row < result.rows; ++row) {
    for (int col = 0; col < result.cols; ++col) {
      if (setting.step == 0) {
        const Point<GridFrame> cell{static_cast<double>(shown.x1 + col),
                                    static_cast<double>(shown.y1 + row)};
        cells.push_back(cell);
        result.source.push_back(source.answer_to_image(cell));
      } else {
        const Point<ImageFrame> pixel{static_cast<double>(col) * step,
                                      static_cast<double>(row) * step};
        cells.push_back(source.to_grid(pixel));
        result.source.push_back(pixel);
      }
    }
  }
  return result;
}

/// Appends the matches of `more` to those of `all`.
inline void append(MatchResult& all, const MatchResult& more) {
  for (std::size_t i = 0; i < more.points.size(); ++i) {
    all.points.push_back(more.points[i]);
    all.scores.push_back(more.scores[i]);
    all.mutual.push_back(more.mutual[i]);
  }
  for (const float margin : more.margins) all.margins.push_back(margin);
}

/// Matches the lattice of `setting` over a picture, some thousand points at a time.
///
/// @param source the picture's
/// @param shown its cells that show the picture
/// @param match_block gives the MatchResult of cells of the source grid
template <class MatchBlock>
DenseMatches match_lattice(const FrameTransform& source, const CellRange& shown,
                           const DenseSetting& setting, const MatchBlock& match_block) {
  Points<GridFrame> cells;
  DenseMatches result = dense_lattice(source, shown, setting, cells);
  constexpr std::size_t block = 8192;
  for (std::size_t begin = 0; begin < cells.size(); begin += block) {
    const std::size_t count = (std::min)(block, cells.size() - begin);
    Points<GridFrame> queries(count);
    for (std::size_t i = 0; i < count; ++i) queries[i] = cells[begin + i];
    try {
      append(result.target, match_block(queries));
    } catch (const ValueError& error) {
      throw ValueError(
          text("match_dense: in the block of points that begins at ", begin, ": ", error.what()));
    }
  }
  return result;
}

}  // namespace detail

/// Finds every patch or pixel of the source in the target. For pixels set `setting.query` to
/// Query::bilinear, or all pixels of a patch get one answer.
///
/// Beside the answers it takes 16 bytes for each point, and memory for the features of a few
/// thousand points at a time.
///
/// @param matcher any Matcher; by default the paper's window soft-argmax
/// @throws SettingError for a negative step; ValueError for an answer of the matcher that is not
/// finite; whatever the matcher throws; a ValueError names the first point of the block that the
/// matcher was given
template <class M = WindowSoftArgmax>
DenseMatches match_dense(const ImageFeatures& source, const ImageFeatures& target,
                         const DenseSetting& dense = {}, const M& matcher = {},
                         const PipelineSetting& setting = {}) {
  require_matcher<M>();
  TargetMade made;
  return detail::match_lattice(
      source.transform, source.map.content, dense, [&](const Points<GridFrame>& queries) {
        FloatMatrix descriptors;
        if constexpr (needs_features<M>()) {
          descriptors = sample_descriptors(source.map, queries, setting.query);
        }
        const MatchProblem problem{source.map, target.map, queries, descriptors, &made};
        return detail::match_problem(matcher, problem, target.transform, setting);
      });
}

/// Finds every patch or pixel of the source in the target, from pictures; a matcher that reads no
/// features runs no backbone.
///
/// @param backbone any Backbone, such as load_backbone() gives
/// @throws what image_features() and match_dense() of features throw
template <class B, class M = WindowSoftArgmax>
DenseMatches match_dense(const B& backbone, const ImageView& source, const ImageView& target,
                         const DenseSetting& dense = {}, const M& matcher = {},
                         const PipelineSetting& setting = {}) {
  source.require_valid("match_dense: source");
  target.require_valid("match_dense: target");
  return match_dense(detail::features_or_grid<M>(backbone, source, setting),
                     detail::features_or_grid<M>(backbone, target, setting), dense, matcher,
                     setting);
}

}  // namespace homolog::inline v0_1
