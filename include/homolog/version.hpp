// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The version, kept here alone: CMakeLists.txt reads it from these lines.
///
/// All of homolog stands in an inline namespace of the first two numbers, `v0_1`, so that two
/// versions in one program, each with types of its own layout, do not take one another's
/// functions. When these numbers change, so does every header; tests/gates/headers.py sees to it.

#include "homolog/core/detail/requirements.hpp"

/// First number of the version, for `#if`.
#define HOMOLOG_VERSION_MAJOR 0
/// Second number of the version.
#define HOMOLOG_VERSION_MINOR 1
/// Third number of the version.
#define HOMOLOG_VERSION_PATCH 0
/// All three as a string, "MAJOR.MINOR.PATCH".
#define HOMOLOG_VERSION "0.1.0"
