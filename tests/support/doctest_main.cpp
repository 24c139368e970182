// SPDX-License-Identifier: Apache-2.0
// Runs doctest and fails when nothing was asserted: LibTorch's CHECK macro can silently replace
// doctest's, and a test without assertions proves nothing. A test that called skip() is exempt.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "support/skip.hpp"

namespace {

int asserted = 0;
int cases_run = 0;

struct AssertionCount : doctest::IReporter {
  explicit AssertionCount(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats& stats) override {
    asserted = stats.numAsserts;
    cases_run = static_cast<int>(stats.numTestCasesPassingFilters);
  }
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};

}  // namespace

REGISTER_LISTENER("assertion_count", 1, AssertionCount);

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int status = context.run();
  if (context.shouldExit()) return status;
  if (asserted == 0 && homolog::test::skips() == 0) {
    std::fprintf(stderr, "no assertion ran in %d test case(s): counted as a failure\n", cases_run);
    return 1;
  }
  return status;
}
