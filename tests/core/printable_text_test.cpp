// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/printable_text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace homolog;

TEST_CASE("what a file holds cannot break a message's line") {
  CHECK(printable_text("") == "");
  CHECK(printable_text("gr\xc3\xbc\xc3\x9f \xe2\x9c\x93 \\ ~") ==
        "gr\xc3\xbc\xc3\x9f \xe2\x9c\x93 \\ ~");
  CHECK(printable_text("a\nb\x1b[1m\xff\x7f") == "a?b?[1m??");
  CHECK(printable_text("\xc2\x9b"
                       "1m\xc2\xa0") == "?1m\xc2\xa0");  // a terminal's CSI, and a blank
  CHECK(printable_text("\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80") == std::string(9, '?'));
  CHECK(printable_text(std::string(1, '\0')) == "?");
}

TEST_CASE("a long text is cut between characters") {
  CHECK(printable_text(std::string(120, 'x')) == std::string(120, 'x'));
  CHECK(printable_text(std::string(500, 'x')) == std::string(120, 'x') + "...");
  CHECK(printable_text("abc\xc3\xa9", 5) == "abc\xc3\xa9");
  CHECK(printable_text("abc\xc3\xa9", 4) == "abc...");
  CHECK(printable_text("abc", 0) == "...");
}

TEST_CASE("whole text loses nothing, and is UTF-8") {
  CHECK(printable_text("a\nb\x1b\xc3\xa9", whole_text) == "a\nb\x1b\xc3\xa9");
  CHECK(printable_text("caf\xe9\xc3", whole_text) == "caf\\xE9\\xC3");
  CHECK(printable_text(std::string(5000, 'x'), whole_text).size() == 5000);
}
