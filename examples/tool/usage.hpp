// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a user typed and cannot be meant: found before anything is tried, ended with exit status 2.

#include <CLI/CLI.hpp>
#include <stdexcept>
#include <string>

namespace tool {

// A wrong command line; the text is one sentence that says what to type. Every failure of files,
// content or devices is a homolog::Error instead.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Checks of an option's number that hold whatever the files contain; not finite is never meant.
CLI::Validator positive_number();
CLI::Validator number_from(double least);
CLI::Validator number_within(double least, double most);

// Insists that a drawing's name ends in .png, .jpg or .jpeg.
void require_picture_name(const char* option, const std::string& path);

// The sentence for what CLI11 refused.
std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error);

}  // namespace tool
