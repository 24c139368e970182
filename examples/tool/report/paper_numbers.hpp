// SPDX-License-Identifier: Apache-2.0
#pragma once

// The numbers of "Semantic Correspondence with Visual Foundation Models" (its tables 1 to 6), and
// which of them a result is to be compared with.

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>

#include "report/result.hpp"
#include "report/view.hpp"

namespace tool::report {

inline constexpr std::array paper_alphas{0.05, 0.1, 0.2};
inline constexpr double paper_silent = std::numeric_limits<double>::quiet_NaN();

// PCK in percent at the paper's alphas; NaN where it gives none.
struct PaperScores {
  std::string_view place;  // where the paper has it
  std::size_t pairs;       // of the full test split
  std::array<double, 3> per_point;
  std::array<double, 3> per_image;

  static double at(const std::array<double, 3>& scores, double alpha) {
    for (std::size_t i = 0; i < paper_alphas.size(); ++i) {
      if (paper_alphas[i] == alpha) return scores[i];
    }
    return paper_silent;
  }
};

struct PaperCategory {
  std::string_view name;
  std::array<double, 3> per_point;
};

// Table 1: DINOv2 ViT-B/14, frozen, argmax, SPair-71k.
inline constexpr std::array<PaperCategory, 18> paper_categories{
    {{"aeroplane", {55.34, 70.05, 82.22}},
     {"bicycle", {38.67, 60.14, 74.99}},
     {"bird", {58.33, 83.05, 94.30}},
     {"boat", {19.70, 34.05, 50.95}},
     {"bottle", {27.17, 44.69, 64.43}},
     {"bus", {36.27, 49.11, 61.48}},
     {"car", {34.72, 48.16, 60.19}},
     {"cat", {59.31, 68.99, 82.35}},
     {"chair", {24.18, 36.80, 50.93}},
     {"cow", {45.26, 64.37, 81.67}},
     {"dog", {40.90, 62.14, 79.88}},
     {"horse", {39.03, 63.33, 82.12}},
     {"motorbike", {37.45, 56.29, 75.69}},
     {"person", {39.04, 62.71, 78.79}},
     {"pottedplant", {12.53, 29.10, 50.51}},
     {"sheep", {38.53, 58.63, 74.79}},
     {"train", {31.88, 50.31, 70.75}},
     {"tvmonitor", {12.85, 25.86, 43.78}}}};

// Tables 2 to 5. Table 6 repeats tables 4 and 5 at 0.1.
inline constexpr std::size_t paper_spair_pairs = 12234;
inline constexpr PaperScores paper_dinov2{
    "Table 2, DINOv2", paper_spair_pairs, {36.04, 53.42, 69.93}, {33.64, 50.75, 67.15}};
inline constexpr PaperScores paper_dinov3{
    "Table 2, DINOv3", paper_spair_pairs, {35.78, 54.86, 71.32}, {32.80, 51.12, 67.44}};
inline constexpr PaperScores paper_sam{
    "Table 2, SAM", paper_spair_pairs, {15.67, 24.58, 38.68}, {13.21, 21.27, 34.30}};
inline constexpr PaperScores paper_last_1{
    "Table 4, last 1", paper_spair_pairs, {51.00, 73.74, 88.33}, {47.91, 70.91, 86.41}};
inline constexpr PaperScores paper_last_2{"Table 3, last 2",
                                          paper_spair_pairs,
                                          {paper_silent, 71.05, paper_silent},
                                          {paper_silent, 67.88, paper_silent}};
inline constexpr PaperScores paper_last_3{"Table 3, last 3",
                                          paper_spair_pairs,
                                          {paper_silent, 68.51, paper_silent},
                                          {paper_silent, 64.61, paper_silent}};
inline constexpr PaperScores paper_window{
    "Table 4, last 1 + WSA", paper_spair_pairs, {53.16, 75.74, 88.99}, {49.87, 72.81, 87.14}};
inline constexpr PaperScores paper_willow{
    "Table 5, PF-Willow", 900, {46.7, 72.5, 93.2}, {46.7, 72.5, 93.2}};
inline constexpr PaperScores paper_pascal{
    "Table 5, PF-Pascal", 299, {67.5, 86.1, 95.2}, {66.8, 85.2, 94.3}};

bool is_paper_dataset(const ReportResult& result);

double paper_at(const PaperScores& paper, Aggregation aggregation, double alpha);

// The paper's row for a depth of tuning on SPair-71k with argmax; 0 is the frozen backbone.
std::optional<PaperScores> paper_depth(int unfreeze);

// The paper's row that was measured as this result was: same test split, backbone, last block,
// matcher and kind of tuning. What the paper leaves open (input size and the like) is not
// compared.
std::optional<PaperScores> paper_scores(const ReportResult& result);

// The paper's row of Table 1 for a category of this result, in percent at the paper's alphas.
std::optional<PaperCategory> paper_category(const ReportResult& result, std::string_view category);

}  // namespace tool::report
