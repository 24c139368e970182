// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads result and prediction files key by key, so that each error names its file and key.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "report/result.hpp"

namespace tool::report {

using ReportJson = nlohmann::ordered_json;

// A setting's value as labels show it, in 6 digits where these give the same float32, else in all.
std::string setting_text(const ReportJson& value);

ReportResult parse_result(const ReportJson& json, const std::filesystem::path& path);

// A path that a result file names: as given, else from the result file's folder.
std::optional<std::filesystem::path> find_beside(const std::filesystem::path& named,
                                                 const std::filesystem::path& result_file);

// Reads a result file and the prediction file it names.
//
// Unknown keys are ignored. A prediction file must hold the result's pairs and points and give its
// PCK; its relative path is tried as given, then from the result file's folder.
//
// It throws FileError when a file cannot be read or is above 64 MiB (predictions: 1 GiB), and
// ReportError, which names the file and key at fault.
ReportResult read_result(const std::filesystem::path& path);

}  // namespace tool::report
