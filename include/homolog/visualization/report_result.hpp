// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What a result file and its prediction file say, in memory; read_result (report.hpp) fills it.
/// Opt-in; no LibTorch.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "homolog/core/concepts.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/points.hpp"

namespace homolog {

/// A result or prediction file that is not one, or that contradicts itself.
struct ReportError : Error {
  using Error::Error;
};

/// PCK of a set of pairs in percent, by alpha.
struct ReportScores {
  std::size_t pairs = 0;
  std::size_t points = 0;
  std::map<double, double> per_point;
  std::map<double, double> per_image;
};

/// How the evaluated backbone was tuned.
struct ReportTuning {
  int unfreeze = 0;   ///< last blocks tuned
  int lora_rank = 0;  ///< 0: the blocks' own weights
  std::string loss;   ///< "soft-argmax-mse", "gaussian-ce", "info-nce"
  std::string train_dataset;
  std::string train_split;
  std::string seed;  ///< empty when the file does not say
  std::optional<std::int64_t> epoch, step, batch_size;
  std::optional<double> learning_rate;
};

/// One line of a prediction file.
struct ReportPair {
  std::string name;
  std::string category;
  std::string source, target;    ///< paths of the pictures as written
  bool flip = false;             ///< both pictures are to be mirrored
  Points<ImageFrame> queries;    ///< [N,2] px of the source, not mirrored; empty: not in the file
  Points<ImageFrame> predicted;  ///< [N,2] px of the target
  Points<ImageFrame> truth;      ///< [N,2] px of the target
};

/// Seconds that an evaluation took, by stage.
struct ReportSeconds {
  double decode = 0, backbone = 0, match = 0, total = 0;
};

/// One evaluation, as its result file and prediction file tell it.
struct ReportResult {
  std::filesystem::path file;
  std::string dataset, split;
  std::string protocol, resize, threshold, comparison;
  int image_size = 0;    ///< [px] input side; 0: native sizes
  std::string backbone;  ///< empty when the file does not say, as those of the library alone
  std::optional<int> layer;
  std::string matcher;                            ///< empty when the file does not say
  std::map<std::string, double> matcher_setting;  ///< temperature, window_radius, sigma
  std::map<std::string, std::string> details;     ///< query, dtype and the like, where stated
  ReportScores total;
  std::vector<std::pair<std::string, ReportScores>> per_category;  ///< in the file's order
  std::size_t distinct_images = 0;
  std::size_t backbone_forwards = 0;
  ReportSeconds seconds;
  std::optional<ReportTuning> tuning;
  std::vector<ReportPair> pairs;   ///< empty without a prediction file
  std::vector<PairErrors> errors;  ///< as `pairs`
};

}  // namespace homolog
