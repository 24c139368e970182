// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Stops the compiler with one sentence where homolog cannot be compiled. Every header includes
/// this one, directly or through another header, before its own first line of code
/// (tests/gates/headers.py checks this).

#if __cplusplus < 202002L
#error homolog needs C++20: compile with -std=c++20
#define HOMOLOG_CANNOT_BE_COMPILED
#elif !defined(__cpp_exceptions)
#error homolog needs exceptions: compile without -fno-exceptions
#define HOMOLOG_CANNOT_BE_COMPILED
#elif __SIZEOF_POINTER__ < 8
#error homolog needs a 64-bit target: weights and feature maps take more than a 32-bit address space
#define HOMOLOG_CANNOT_BE_COMPILED
#elif __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error homolog needs a little-endian target: its files hold little-endian numbers
#define HOMOLOG_CANNOT_BE_COMPILED
#endif

#ifdef HOMOLOG_CANNOT_BE_COMPILED
// #error alone does not stop GCC and Clang, which would go on to hundreds of errors.
#include "the sentence above says what to do"
#endif

// NaN and infinity carry meaning here: -infinity marks padding, and a keypoint or a feature that is
// not finite is refused. -ffinite-math-only lets the compiler assume that there are none, and takes
// those checks out. -fassociative-math reorders sums, but equal features have equal similarities
// only when every sum has the same order. (Under Clang a header cannot detect that flag.)
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error homolog needs NaN and infinity: behind -ffast-math add -fno-finite-math-only -fno-associative-math
#include "the sentence above says what to do"
#elif defined(__ASSOCIATIVE_MATH__)
#error homolog needs sums in the order it writes them: behind -ffast-math add -fno-associative-math
#include "the sentence above says what to do"
#endif
