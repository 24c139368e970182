// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Where functions that are no templates are compiled. Their bodies lie in `detail/NAME_inl.hpp`,
/// which the header NAME includes; CMake's option HOMOLOG_COMPILED defines the macro of that name
/// in every target, no header includes its bodies then, and each body is compiled once, in the
/// static library of its component. A program that mixes sources with and without the macro has two
/// bodies of one function, which C++ forbids.

#include "homolog/core/detail/requirements.hpp"

#ifdef HOMOLOG_COMPILED
#define HOMOLOG_INLINE
#else
#define HOMOLOG_INLINE inline
#endif
