// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The law kits as doctest test cases. Opt-in; include it after <doctest/doctest.h>, and where
/// LibTorch is included too, after that with its CHECK macros undefined.
///
/// @code
/// HOMOLOG_TEST_MATCHER(MyMatcher)      // at namespace scope; default-constructs a MyMatcher
/// HOMOLOG_TEST_BACKBONE(MyBackbone)
/// HOMOLOG_TEST_METRIC(MyMetric)
///
/// struct Narrow : homolog::WindowSoftArgmax {  // another setting, or weights: a type of its own
///   Narrow() { setting.window_radius = 1; }
/// };
/// HOMOLOG_TEST_MATCHER(Narrow)
/// @endcode

#include <vector>

#include "homolog/testing/backbone_laws.hpp"
#include "homolog/testing/laws.hpp"
#include "homolog/testing/matcher_laws.hpp"
#include "homolog/testing/metric_laws.hpp"

#ifndef DOCTEST_LIBRARY_INCLUDED
#error "homolog/testing/doctest.hpp: include <doctest/doctest.h> before it"
#endif

namespace homolog::inline v0_1::testing::detail {

/// One assertion a law.
inline void assert_laws(const std::vector<Law>& laws) {
  for (const Law& law : laws) DOCTEST_CHECK_MESSAGE(law.holds(), law.name, ": ", law.broken);
}

}  // namespace homolog::inline v0_1::testing::detail

/// A test case that holds a Matcher type to the laws of matchers, see check_matcher_laws().
#define HOMOLOG_TEST_MATCHER(...)                                                               \
  DOCTEST_TEST_CASE("laws of the matcher " #__VA_ARGS__) {                                      \
    homolog::testing::detail::assert_laws(homolog::testing::check_matcher_laws(__VA_ARGS__{})); \
  }                                                                                             \
  static_assert(true)

/// A test case that holds a Backbone type to the laws of backbones, see check_backbone_laws().
#define HOMOLOG_TEST_BACKBONE(...)                                                               \
  DOCTEST_TEST_CASE("laws of the backbone " #__VA_ARGS__) {                                      \
    homolog::testing::detail::assert_laws(homolog::testing::check_backbone_laws(__VA_ARGS__{})); \
  }                                                                                              \
  static_assert(true)

/// A test case that holds a Metric type to the laws of metrics, see check_metric_laws().
#define HOMOLOG_TEST_METRIC(...)                                                               \
  DOCTEST_TEST_CASE("laws of the metric " #__VA_ARGS__) {                                      \
    homolog::testing::detail::assert_laws(homolog::testing::check_metric_laws(__VA_ARGS__{})); \
  }                                                                                            \
  static_assert(true)
