// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/decimal_number.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>

using homolog::decimal_number;
using homolog::decimal_text;
using homolog::detail::decimal_number_by_stream;

TEST_CASE("decimal numbers are read whole") {
  CHECK(decimal_number("2.5") == 2.5);
  CHECK(decimal_number("-1e3") == -1000);
  CHECK(decimal_number("0.1") == 0.1);
  for (const char* bad : {"", " 1", "1 ", "1,5", "0x1p", "0x1p3", "1e", "one", "+1", "1e999", "-",
                          "1..5", "1-", "nan", "inf", "-inf", "1 2", "."}) {
    CAPTURE(bad);
    CHECK_FALSE(decimal_number(bad).has_value());
  }
}

// What a standard library does whose std::from_chars reads no double.
TEST_CASE("a stream reads the same numbers, to the last bit") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t bits = random();
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    char digits[64];
    std::snprintf(digits, sizeof digits, i % 2 == 0 ? "%.17g" : "%.6g", number);
    const auto direct = decimal_number(digits);
    if (!direct) continue;  // nan, or no number of type double any more
    const auto read = decimal_number_by_stream(digits);
    REQUIRE(read.has_value());
    CHECK(std::memcmp(&*read, &*direct, sizeof number) == 0);
  }
  for (const char* bad : {"", "1,5", "1e", "1e999", "-", "1..5", "1-", "1 2", "."}) {
    CAPTURE(bad);
    CHECK_FALSE(decimal_number_by_stream(bad).has_value());
  }
}

TEST_CASE("a number is written as the shortest text that is read as the same") {
  CHECK(decimal_text(0.05) == "0.05");
  CHECK(decimal_text(0.1 + 0.2) == "0.30000000000000004");
  CHECK(decimal_text(-3) == "-3");
  std::mt19937_64 random(2);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t bits = random();
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    if (!std::isfinite(number)) continue;
    const auto read = decimal_number(decimal_text(number));
    REQUIRE(read.has_value());
    CHECK(std::memcmp(&*read, &number, sizeof number) == 0);
  }
}
