// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The numbers of "Semantic Correspondence with Visual Foundation Models" (its tables 1 to 6), and
/// which of them a result is to be compared with.

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "homolog/visualization/detail/report_view.hpp"
#include "homolog/visualization/report_result.hpp"

namespace homolog::inline v0_1::detail {

inline constexpr std::array paper_alphas{0.05, 0.1, 0.2};
inline constexpr double paper_silent = std::numeric_limits<double>::quiet_NaN();

/// PCK in percent at the paper's alphas; NaN where it gives none.
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

inline bool is_paper_dataset(const ReportResult& result) {
  return result.dataset == "spair-71k" || result.dataset == "pf-pascal" ||
         result.dataset == "pf-willow";
}

inline double paper_at(const PaperScores& paper, Aggregation aggregation, double alpha) {
  return PaperScores::at(aggregation == Aggregation::per_point ? paper.per_point : paper.per_image,
                         alpha);
}

/// True for the paper's window: 5x5 cells, tau 10.
inline bool is_paper_window(const ReportResult& result) {
  const auto setting = [&result](const char* key) {
    const auto found = result.matcher_setting.find(key);
    return found == result.matcher_setting.end() ? paper_silent : found->second;
  };
  return result.matcher == "window-soft-argmax" && setting("window_radius") == 2 &&
         setting("temperature") == 10;
}

/// The paper's row for a depth of tuning on SPair-71k with argmax; 0 is the frozen backbone.
inline std::optional<PaperScores> paper_depth(int unfreeze) {
  constexpr std::array rows{paper_dinov2, paper_last_1, paper_last_2, paper_last_3};
  if (unfreeze < 0 || unfreeze >= static_cast<int>(rows.size())) return std::nullopt;
  return rows[static_cast<std::size_t>(unfreeze)];
}

/// The paper's row that was measured as this result was: same test split, backbone, last block,
/// matcher and kind of tuning. What the paper leaves open (input size and the like) is not
/// compared.
inline std::optional<PaperScores> paper_scores(const ReportResult& result) {
  if (!is_paper_dataset(result) || result.split != "test") return std::nullopt;
  const bool spair = result.dataset == "spair-71k";
  const bool argmax = result.matcher == "argmax";
  const int layer = result.layer.value_or(-1);
  if (!result.tuning) {
    if (!spair || !argmax) return std::nullopt;
    if (result.backbone == "dinov2_vitb14" && layer == 11) return paper_dinov2;
    if (result.backbone == "dinov3_vitl16" && layer == 23) return paper_dinov3;
    if (result.backbone == "sam_vit_l" && layer == 23) return paper_sam;
    return std::nullopt;
  }
  const ReportTuning& tuning = *result.tuning;
  if (result.backbone != "dinov2_vitb14" || layer != 11 || tuning.lora_rank != 0 ||
      tuning.loss != "soft-argmax-mse" || tuning.train_dataset != "spair-71k") {
    return std::nullopt;
  }
  if (spair && argmax && tuning.unfreeze >= 1) return paper_depth(tuning.unfreeze);
  if (tuning.unfreeze != 1 || !is_paper_window(result)) return std::nullopt;
  if (spair) return paper_window;
  return result.dataset == "pf-willow" ? paper_willow : paper_pascal;
}

/// The paper's row of Table 1 for a category of this result, in percent at the paper's alphas.
inline std::optional<PaperCategory> paper_category(const ReportResult& result,
                                                   std::string_view category) {
  const auto scores = paper_scores(result);
  if (!scores || scores->place != paper_dinov2.place) return std::nullopt;
  for (const PaperCategory& row : paper_categories) {
    if (row.name == category) return row;
  }
  return std::nullopt;
}

}  // namespace homolog::inline v0_1::detail
