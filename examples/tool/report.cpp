// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "homolog/core/files.hpp"
#include "outputs.hpp"
#include "report/read_result.hpp"
#include "report/render_report.hpp"
#include "report/summary.hpp"

namespace tool {

void add_report(CLI::App& app) {
  auto* command = app.add_subcommand("report", "result files of evaluate to one HTML page");
  struct Options {
    std::vector<std::string> results;
    std::string output;
    report::ReportSetting setting;
  };
  auto options = std::make_shared<Options>();
  command->add_option("results", options->results, "files written by evaluate --json")->required();
  command->add_option("--output", options->output, "HTML file to write")->required();
  command->add_option("--title", options->setting.title, "heading of the page")
      ->capture_default_str();
  command
      ->add_option("--pairs", options->setting.pairs,
                   "best, and as many worst, pairs drawn a result (needs evaluate --predictions)")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command->add_flag("!--no-pictures", options->setting.pictures, "open and draw no pictures");
  command->callback([options] {
    std::vector<NamedFile> inputs;
    for (const auto& path : options->results) inputs.push_back({"result", path});
    require_writable({{"--output", options->output}}, inputs);
    std::vector<report::ReportResult> results;
    for (const auto& path : options->results) results.push_back(report::read_result(path));
    inputs.clear();
    for (const auto& result : results) {
      if (!result.predictions.empty()) inputs.push_back({"predictions", result.predictions});
    }
    require_writable({{"--output", options->output}}, inputs);
    const std::string html = report::render_report(results, options->setting);
    homolog::write_file_atomically(options->output, html);
    std::printf("%s\n%s: %.1f KiB\n", report::report_summary(results).c_str(),
                options->output.c_str(), static_cast<double>(html.size()) / 1024);
  });
}

}  // namespace tool
