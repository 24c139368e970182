// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The log of a training: CSV with one row per step, without duplicate rows after a run is resumed.

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iomanip>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/train/finetune_setting.hpp"

namespace homolog::inline v0_1::detail {

struct TrainLog {
  static constexpr std::string_view header =
      "step,epoch,learning_rate,loss,gradient_norm,taken,validation_pck\n";

  /// Begins a log, or continues an existing one after `steps_done` steps; its later rows are
  /// dropped.
  ///
  /// @throws FileError when the file cannot be written or is no such log
  TrainLog(const std::filesystem::path& path_, std::int64_t steps_done) : path(path_) {
    std::string kept(header);
    std::error_code error;
    if (steps_done > 0 && std::filesystem::exists(path, error)) {
      std::istringstream old(read_file(path, std::uintmax_t{1} << 30));
      std::string line;
      std::getline(old, line);
      if (line + "\n" != header) {
        throw FileError(path.string() +
                        ": is not the log of a training, which has another first line");
      }
      while (std::getline(old, line) && !old.eof()) {
        if (std::strtoll(line.c_str(), nullptr, 10) <= steps_done) kept += line + "\n";
      }
    }
    write_file_atomically(path, kept);
    file.reset(std::fopen(path.c_str(), "ab"));
    if (!file)
      throw FileError(text(path.string(), ": cannot be written: ", system_error_text(errno)));
  }

  /// The row of the backbone as it was, before the first step.
  void add_frozen(double pck) { write(text("0,0,,,,,", std::setprecision(6), 100 * pck, '\n')); }

  /// @param validated whether this step ended with a validation
  void add(const TrainProgress& progress, bool validated) {
    std::string row =
        text(std::setprecision(9), progress.step, ',', progress.epoch, ',', progress.learning_rate,
             ',', progress.step_loss, ',', progress.gradient_norm, ',', progress.taken, ',');
    if (validated && progress.pck) row += text(std::setprecision(6), 100 * *progress.pck);
    write(row + '\n');
  }

  std::filesystem::path path;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{nullptr, &std::fclose};

 private:
  void write(const std::string& row) {
    if (std::fwrite(row.data(), 1, row.size(), file.get()) != row.size() ||
        std::fflush(file.get()) != 0) {
      throw FileError(text(path.string(), ": cannot be written: ", system_error_text(errno)));
    }
  }
};

}  // namespace homolog::inline v0_1::detail
