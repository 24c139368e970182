// SPDX-License-Identifier: Apache-2.0
// A program on everything that needs no LibTorch, to be compiled in all ways that users may choose.
#include "program.hpp"

int main() { return failures_of_matching() + failures_of_files(); }
