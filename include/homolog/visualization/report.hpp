// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A self-contained HTML page over results of `homolog evaluate`: tables, charts and drawn matches,
/// beside the paper's numbers where it measured the same. Opt-in, in homolog::visualization (needs
/// the Mustache library); no LibTorch.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "homolog/core/files.hpp"
#include "homolog/visualization/detail/report_input.hpp"
#include "homolog/visualization/detail/report_page.hpp"
#include "homolog/visualization/report_result.hpp"

namespace homolog::inline v0_1 {

/// What a report shows.
struct ReportSetting {
  std::string title = "Semantic correspondence";  ///< heading, plain text
  std::size_t pairs = 4;                          ///< best, and as many worst, pairs drawn a result
  bool pictures = true;                           ///< false: no picture is opened
};

/// Reads a result file and the prediction file it names.
///
/// Unknown keys are ignored. A prediction file must hold the result's pairs and points and give its
/// PCK; its relative path is tried as given, then from the result file's folder.
///
/// @throws FileError when a file cannot be read or is above 64 MiB (predictions: 1 GiB)
/// @throws ReportError naming the file and key at fault
inline ReportResult read_result(const std::filesystem::path& path) {
  const auto json =
      detail::parse_report_json(read_file(path, std::uintmax_t{64} << 20), path.string());
  ReportResult result = detail::parse_result(json, path);
  const detail::ReportKeys keys{path.string(), "", json};
  if (const auto named = keys.optional_text("predictions")) {
    const auto predictions = detail::find_beside(*named, path);
    if (!predictions) keys.fail("predictions", "no such file: " + detail::one_line(*named));
    detail::read_predictions(*predictions, result);
    result.predictions = *predictions;
  }
  return result;
}

/// The page, as one HTML file without scripts and without anything loaded from elsewhere.
///
/// Text from files is escaped. Pictures are looked for as predictions are.
///
/// @throws ReportError when there is no result, or a picture is missing
/// @throws FileError, ImageError when a picture cannot be read
inline std::string render_report(const std::vector<ReportResult>& results,
                                 const ReportSetting& setting = {}) {
  return detail::page_html(detail::make_view(results), setting.title,
                           setting.pictures ? setting.pairs : 0);
}

/// The results as lines for a terminal, the paper's number below ours.
///
/// @throws ReportError when there is no result
inline std::string report_summary(const std::vector<ReportResult>& results) {
  return detail::summary_text(detail::make_view(results));
}

}  // namespace homolog::inline v0_1
