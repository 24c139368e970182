// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which sanitizer this program was built with: GCC defines a macro, Clang has a feature.

#if defined(__has_feature)
#define HOMOLOG_TEST_HAS_FEATURE(name) __has_feature(name)
#else
#define HOMOLOG_TEST_HAS_FEATURE(name) 0
#endif

namespace homolog::test {

#if defined(__SANITIZE_ADDRESS__) || HOMOLOG_TEST_HAS_FEATURE(address_sanitizer)
inline constexpr bool address_sanitizer = true;
#else
inline constexpr bool address_sanitizer = false;
#endif

#if defined(__SANITIZE_THREAD__) || HOMOLOG_TEST_HAS_FEATURE(thread_sanitizer)
inline constexpr bool thread_sanitizer = true;
#else
inline constexpr bool thread_sanitizer = false;
#endif

}  // namespace homolog::test
