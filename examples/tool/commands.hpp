// SPDX-License-Identifier: Apache-2.0
#pragma once

// Each adds one subcommand, whose callback does the work and throws homolog::Error on failure.

#include <CLI/CLI.hpp>

namespace tool {

void add_info(CLI::App& app);
void add_inspect(CLI::App& app);
void add_convert(CLI::App& app);
void add_features(CLI::App& app);
void add_match(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_finetune(CLI::App& app);
void add_generate(CLI::App& app);
void add_report(CLI::App& app);

}  // namespace tool
