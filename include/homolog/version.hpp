// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The version, kept here alone: CMakeLists.txt reads it from these lines.

#define HOMOLOG_VERSION_MAJOR 0
#define HOMOLOG_VERSION_MINOR 1
#define HOMOLOG_VERSION_PATCH 0
#define HOMOLOG_VERSION "0.1.0"
