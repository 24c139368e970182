// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a result file and its prediction file say, in memory.

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

namespace tool::report {

// A result or prediction file that is not one, or that contradicts itself.
struct ReportError : homolog::Error {
  using homolog::Error::Error;
};

// PCK of a set of pairs in percent, by alpha.
struct ReportScores {
  std::size_t pairs = 0;               // scored
  std::size_t points = 0;              // keypoints of those pairs
  std::map<double, double> per_point;  // alpha to share of all keypoints that are correct [%]
  std::map<double, double> per_image;  // alpha to mean of the pairs' shares [%]
};

// How the evaluated backbone was tuned.
struct ReportTuning {
  int unfreeze = 0;                        // last blocks tuned
  int lora_rank = 0;                       // 0: the blocks' own weights
  std::string loss;                        // "soft-argmax-mse", "gaussian-ce", "info-nce"
  std::string train_dataset;               // empty when the file does not say
  std::string train_split;                 // empty when the file does not say
  std::string seed;                        // empty when the file does not say
  std::optional<std::int64_t> epoch;       // of the checkpoint evaluated
  std::optional<std::int64_t> step;        // of the checkpoint evaluated
  std::optional<std::int64_t> batch_size;  // at least 1
  std::optional<double> learning_rate;     // before the schedule
};

// One line of a prediction file.
struct ReportPair {
  std::string name;      // as in the data set
  std::string category;  // object class
  std::string source;    // path of the picture as written
  std::string target;    // path of the picture as written
  bool flip = false;     // both pictures are to be mirrored
  homolog::Points<homolog::ImageFrame>
      queries;  // [N,2] px of the source, not mirrored; empty: not in the file
  homolog::Points<homolog::ImageFrame> predicted;  // [N,2] px of the target
  homolog::Points<homolog::ImageFrame> truth;      // [N,2] px of the target
};

// Seconds that an evaluation took, by stage.
struct ReportSeconds {
  double decode = 0;    // [s] reading and decoding pictures
  double backbone = 0;  // [s] resizing and the forward
  double match = 0;     // [s] matching keypoints
  double total = 0;     // [s] the whole evaluation
};

// One evaluation, as its result file and prediction file tell it.
struct ReportResult {
  std::filesystem::path file;         // the result file
  std::filesystem::path predictions;  // the prediction file; empty when the result names none
  std::string dataset;                // name in the result file
  std::string split;                  // part of the data set
  std::string protocol;               // name of the scoring rules, such as "homolog"
  std::string resize;                 // "squash", "letterbox", "longest-side" or "native"
  std::string threshold;              // "target-bbox", "keypoint-bbox" or "image-size"
  std::string comparison;             // "<=": correct when the distance is at most the threshold
  int image_size = 0;                 // [px] input side; 0: native sizes
  std::string backbone;      // empty when the file does not say, as those of the library alone
  std::optional<int> layer;  // 0-based block whose output is the feature; -1: the last
  std::string matcher;       // empty when the file does not say
  std::map<std::string, std::string> matcher_setting;  // as text: temperature to "10"
  std::map<std::string, std::string> details;          // query, dtype and the like, where stated
  ReportScores total;                                  // over all pairs
  std::vector<std::pair<std::string, ReportScores>> per_category;  // in the file's order
  std::size_t distinct_images = 0;                                 // by path (and flip)
  std::size_t backbone_forwards = 0;        // pictures that went through the backbone
  ReportSeconds seconds;                    // wall clock
  std::optional<ReportTuning> tuning;       // nothing when the file states none
  std::vector<ReportPair> pairs;            // empty without a prediction file
  std::vector<homolog::PairErrors> errors;  // as `pairs`
};

}  // namespace tool::report
