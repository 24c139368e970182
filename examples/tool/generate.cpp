// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "commands.hpp"
#include "drawn_set/generate.hpp"
#include "progress.hpp"

namespace tool {

void add_generate(CLI::App& app) {
  auto* command =
      app.add_subcommand("generate", "write the synthetic data set in SPair-71k's layout");
  struct Options {
    std::string output;
    drawn_set::Setting setting;
  };
  auto options = std::make_shared<Options>();
  command->add_option("--output", options->output, "folder to make; it must not exist or be empty")
      ->required();
  command->add_option("--seed", options->setting.seed, "same seed, same bytes")
      ->capture_default_str();
  command->callback([options] {
    Progress progress;
    drawn_set::generate(options->output, options->setting, std::ref(progress));
    progress.finish();
    std::printf("%s: synthetic data set, seed %llu\n", options->output.c_str(),
                static_cast<unsigned long long>(options->setting.seed));
  });
}

}  // namespace tool
