// SPDX-License-Identifier: Apache-2.0
#pragma once

// What all parts of a report share: how results are called, grouped and averaged.

#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "homolog/core/errors.hpp"
#include "report/result.hpp"

namespace tool::report {

// A number that stands in a file as such: 10, not 10.00.
std::string plain_number(double value);

std::string alpha_label(double alpha);

std::string blocks_label(int unfreeze);

std::string matcher_label(const ReportResult& result);

// What the paper's equation 4 calls s.
std::string threshold_label(const std::string& threshold);

std::string comparison_label(const std::string& comparison);

std::string input_label(const ReportResult& result);

// Mean, least and greatest of some numbers; all NaN when there is none.
struct Spread {
  double mean = std::numeric_limits<double>::quiet_NaN();
  double low = mean, high = mean;
  std::size_t count = 0;
};

Spread spread_of(const std::vector<double>& values);

enum class Aggregation { per_point, per_image };

inline constexpr Aggregation aggregations[] = {Aggregation::per_point, Aggregation::per_image};

double score_at(const ReportScores& scores, Aggregation aggregation, double alpha);

// Indices of the results of one split, whose scores may be compared with each other.
struct ReportGroup {
  std::string dataset, split, threshold;
  std::vector<std::size_t> members;
  std::string name() const { return dataset + " " + split; }
};

// The results, split by split, with what all parts of a report derive from them.
struct ReportView {
  std::vector<std::reference_wrapper<const ReportResult>> results;
  std::vector<std::string> labels;  // one a result, no two equal within a data set
  std::vector<double> alphas;       // of all results
  double main_alpha = 0.1;          // 0.1, or the middle alpha where no result has it
  std::vector<ReportGroup> groups;  // by first appearance

  const ReportResult& operator[](std::size_t i) const { return results[i]; }
  std::string numbered(std::size_t i) const { return homolog::text(i + 1, " \u00b7 ", labels[i]); }
};

// The results must outlive the view.
ReportView make_view(const std::vector<ReportResult>& results);

// Joins what must agree for two results to belong together.
template <class... Parts>
std::string joined_key(const Parts&... parts) {
  std::string key;
  ((key += homolog::text(parts) + '\x1f'), ...);
  return key;
}

std::string detail_of(const ReportResult& result, const char* key);

// Equal for results that differ in data set, tuning and seed at most.
std::string method_key(const ReportResult& result);

// Equal for trainings that differ in depth and seed at most.
std::string recipe_key(const ReportTuning& tuning);

std::string recipe_label(const ReportTuning& tuning);

}  // namespace tool::report
