// SPDX-License-Identifier: Apache-2.0
#include "usage.hpp"

#include <cmath>
#include <filesystem>
#include <vector>

#include "homolog/core/errors.hpp"

namespace tool {

namespace {

template <class Fits>
CLI::Validator number(const std::string& expected, const Fits& fits) {
  return {[=](std::string& typed) -> std::string {
            double value = 0;
            if (CLI::detail::lexical_cast(typed, value) && std::isfinite(value) && fits(value)) {
              return "";
            }
            return typed + " is not " + expected;
          },
          "NUMBER"};
}

std::string subcommand_names(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands({})) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

}  // namespace

CLI::Validator positive_number() {
  return number("a number above 0", [](double value) { return value > 0; });
}

CLI::Validator number_from(double least) {
  return number(homolog::text("a number from ", least, " on"),
                [least](double value) { return value >= least; });
}

CLI::Validator number_within(double least, double most) {
  return number(homolog::text("a number from ", least, " to ", most),
                [=](double value) { return value >= least && value <= most; });
}

void require_picture_name(const char* option, const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (extension == ".png" || extension == ".jpg" || extension == ".jpeg") return;
  throw UsageError(std::string(option) + " '" + path + "': type a name in .png, .jpg or .jpeg");
}

std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  const std::vector<std::string> before = app.remaining();
  const bool option_first = !before.empty() && before.front().starts_with('-');
  if (chosen.empty() && !before.empty() && !option_first) {
    return "'" + before.front() + "' is no subcommand; type one of " + subcommand_names(app);
  }
  if (option_first) {
    return before.front() + " stands before the subcommand; type the subcommand first, as in " +
           "homolog match " + before.front();
  }
  if (chosen.empty()) {
    return "no subcommand was given; type homolog and one of " + subcommand_names(app);
  }
  const CLI::App& command = *chosen.front();
  const std::string name = command.get_name();
  const std::string help = "; type homolog " + name + " --help for what it takes";
  // What is unknown comes first: a misspelt option is often the one that CLI11 calls missing.
  std::vector<std::string> unknown = command.remaining();
  if (unknown.empty()) unknown = before;  // a second subcommand ends the first one's arguments
  if (!unknown.empty()) {
    const std::string what = unknown.front().starts_with('-') ? " has no option " : " cannot take ";
    return name + what + unknown.front() + help;
  }
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() > 1 && option->get_items_expected_max() <= 1) {
      return name + ": " + option->get_name() + " is given " + std::to_string(option->count()) +
             " times; type it once";
    }
  }
  return name + ": " + error.what() + help;
}

}  // namespace tool
