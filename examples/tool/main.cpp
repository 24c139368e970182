// SPDX-License-Identifier: Apache-2.0
// The `homolog` command: exit status 0 done, 1 failed (one line on stderr), 2 wrong usage.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "commands.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/version.hpp"
#include "outputs.hpp"
#include "usage.hpp"

int main(int argc, char** argv) {
  if (!tool::claim_standard_streams()) {
    std::fprintf(stderr, "homolog: the standard output is closed\n");
    return 1;
  }
  CLI::App app{"Semantic correspondence with visual foundation models", "homolog"};
  app.set_version_flag("--version", HOMOLOG_VERSION);
  app.require_subcommand(1);
  tool::add_info(app);
  tool::add_inspect(app);
  tool::add_convert(app);
  tool::add_features(app);
  tool::add_match(app);
  tool::add_evaluate(app);
  tool::add_finetune(app);
  tool::add_generate(app);
  tool::add_report(app);
  // A flag twice, or with its opposite, is no more meant than a value twice.
  for (CLI::App* command : app.get_subcommands({})) {
    for (CLI::Option* option : command->get_options()) {
      if (option->get_items_expected_max() == 0) {
        option->multi_option_policy(CLI::MultiOptionPolicy::Throw);
      }
    }
  }
  const auto say = [](const char* kind, const std::string& line) {
    std::fprintf(stderr, "homolog: %s%s\n", kind, line.c_str());
  };
  const auto done = [&say] {
    if (tool::flush_standard_output()) return 0;
    say("", "the standard output cannot be written, so what was printed is not whole");
    return 1;
  };
  try {
    app.parse(argc, argv);
    return done();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help and --version
      app.exit(error);
      return done();
    }
    say("", tool::usage_sentence(app, error));
    return 2;
  } catch (const tool::UsageError& error) {
    say("", error.what());
    return 2;
  } catch (const homolog::Error& error) {
    say("", error.what());
  } catch (const std::bad_alloc&) {
    say("", "out of memory");
  } catch (const std::exception& error) {
    say("unexpected: ", error.what());
  }
  return 1;
}
