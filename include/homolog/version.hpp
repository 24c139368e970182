// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The version, kept here alone: CMakeLists.txt reads it from these lines.

/// First number of the version, for `#if`.
#define HOMOLOG_VERSION_MAJOR 0
/// Second number of the version.
#define HOMOLOG_VERSION_MINOR 1
/// Third number of the version.
#define HOMOLOG_VERSION_PATCH 0
/// All three as a string, "MAJOR.MINOR.PATCH".
#define HOMOLOG_VERSION "0.1.0"
