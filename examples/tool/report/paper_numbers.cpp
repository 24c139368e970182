// SPDX-License-Identifier: Apache-2.0
#include "report/paper_numbers.hpp"

namespace tool::report {

namespace {

// True for the paper's window: 5x5 cells, tau 10, and no cell outside of it.
bool is_paper_window(const ReportResult& result) {
  const auto setting = [&result](const char* key) {
    const auto found = result.matcher_setting.find(key);
    return found == result.matcher_setting.end() ? "" : found->second;
  };
  const std::string outside = setting("outside");
  return result.matcher == "window-soft-argmax" && setting("window_radius") == "2" &&
         setting("temperature") == "10" && (outside.empty() || outside == "excluded");
}

}  // namespace

bool is_paper_dataset(const ReportResult& result) {
  return result.dataset == "spair-71k" || result.dataset == "pf-pascal" ||
         result.dataset == "pf-willow";
}

double paper_at(const PaperScores& paper, Aggregation aggregation, double alpha) {
  return PaperScores::at(aggregation == Aggregation::per_point ? paper.per_point : paper.per_image,
                         alpha);
}

std::optional<PaperScores> paper_depth(int unfreeze) {
  constexpr std::array rows{paper_dinov2, paper_last_1, paper_last_2, paper_last_3};
  if (unfreeze < 0 || unfreeze >= static_cast<int>(rows.size())) return std::nullopt;
  return rows[static_cast<std::size_t>(unfreeze)];
}

std::optional<PaperScores> paper_scores(const ReportResult& result) {
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

std::optional<PaperCategory> paper_category(const ReportResult& result, std::string_view category) {
  const auto scores = paper_scores(result);
  if (!scores || scores->place != paper_dinov2.place) return std::nullopt;
  for (const PaperCategory& row : paper_categories) {
    if (row.name == category) return row;
  }
  return std::nullopt;
}

}  // namespace tool::report
