// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of pipeline/predict.hpp.

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/shard.hpp"
#include "homolog/datasets/dataset.hpp"
#include "homolog/datasets/digest.hpp"
#include "homolog/datasets/picture_set.hpp"
#include "homolog/pipeline/predict.hpp"
#include "homolog/pipeline/predictions.hpp"

namespace homolog::inline v0_1 {

namespace detail {

HOMOLOG_INLINE std::vector<PictureBatch> make_batches(const PictureSet& set, int batch_size,
                                                      int processes) {
  std::vector<PictureBatch> batches;
  for (const auto& pictures : set.of_one_size) {
    for (auto begin = pictures.begin(); begin != pictures.end();) {
      const auto count =
          (std::min)(pictures.end() - begin, static_cast<std::ptrdiff_t>(batch_size));
      const int process = static_cast<int>(batches.size()) % processes;
      batches.push_back({{begin, begin + count}, process});
      begin += count;
    }
  }
  return batches;
}

HOMOLOG_INLINE PairResult pair_result(const std::string& pair, const std::vector<Match>& matches,
                                      const FrameTransform& target, Points<ImageFrame> truth,
                                      double scale) {
  PairResult result;
  MatchResult found = [&] {
    try {
      return to_image_points(matches, target);
    } catch (const ValueError& error) {
      throw ValueError(text("pair ", pair, ": ", error.what()));
    }
  }();
  result.predicted = std::move(found.points);
  result.scores = std::move(found.scores);
  result.mutual = std::move(found.mutual);
  result.truth = std::move(truth);
  result.errors.threshold_scale = scale;
  for (std::size_t n = 0; n < result.truth.size(); ++n) {
    result.errors.distances.push_back(distance(result.predicted[n], result.truth[n]));
  }
  return result;
}

HOMOLOG_INLINE void require_agreement(const PredictSetting& setting, const Dataset& dataset,
                                      const PipelineSetting& pipeline) {
  if (setting.shard.count == 1) return;
  const std::string line =
      text(setting.batch_size, '|', pipeline.image_size, '|', static_cast<int>(pipeline.resize),
           '|', static_cast<int>(pipeline.filter), '|', static_cast<int>(pipeline.query), '|',
           pipeline.margin);
  homolog::require_agreement(setting.shard, hash_text(stable_hash(line, stable_hash(dataset))),
                             "evaluate");
}

}  // namespace detail

}  // namespace homolog::inline v0_1
