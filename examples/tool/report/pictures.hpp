// SPDX-License-Identifier: Apache-2.0
#pragma once

// The best and worst matches of a result, drawn and embedded in the page as data: addresses.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/images/image.hpp"
#include "report/result.hpp"

namespace tool::report {

std::string base64(std::string_view bytes);

// How one pair came out.
struct PairOutcome {
  std::size_t index;
  double pck;         // percent at the main alpha
  double mean_error;  // [px]
  double relative;    // mean error over s
};

std::vector<PairOutcome> pair_outcomes(const ReportResult& result, double alpha);

// Best and worst pairs, by PCK and then by mean error over s; no pair is in both lists.
std::pair<std::vector<PairOutcome>, std::vector<PairOutcome>> best_and_worst(
    std::vector<PairOutcome> outcomes, std::size_t count);

// A pair with its matches. Without source keypoints, each prediction is joined to its truth.
homolog::Image draw_pair(const ReportResult& result, std::size_t index, double alpha);

std::string picture_address(const homolog::Image& image);

}  // namespace tool::report
