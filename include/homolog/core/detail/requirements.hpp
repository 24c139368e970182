// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Stops the compiler with one sentence where homolog cannot be compiled. Every header reaches this
/// one before its own first line of code (tests/gates/headers.py sees to it).

#if __cplusplus < 202002L
#error homolog needs C++20: compile with -std=c++20
// #error alone does not stop GCC and Clang, which would go on to hundreds of errors.
#include "the sentence above says what to do"
#endif
