// SPDX-License-Identifier: Apache-2.0
// The `homolog` command: exit status 0 done, 1 failed (one line on stderr), 2 wrong usage.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "commands.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/version.hpp"

int main(int argc, char** argv) {
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
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const homolog::Error& error) {
    std::fprintf(stderr, "homolog: %s\n", error.what());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "homolog: out of memory\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "homolog: unexpected: %s\n", error.what());
  }
  return 1;
}
