// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/errors.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace homolog;

TEST_CASE("the words of an error are joined whatever they are") {
  CHECK(text("expected ", 3, ", got ", 0.5, ' ', std::string("x")) == "expected 3, got 0.5 x");
  CHECK(text(1234567) == "1234567");
}

TEST_CASE("a shape is written in brackets") {
  CHECK(shape_text(std::vector<int>{}) == "[]");
  CHECK(shape_text(std::array{1234, -1}) == "[1234, -1]");
}
