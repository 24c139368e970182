// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What the law kits of matchers, backbones and metrics share. A law is a sentence that holds for
/// every policy of a family; a kit checks all of a family's laws on one policy and says for each
/// what was seen. Opt-in, without LibTorch and without a test framework; testing/doctest.hpp makes
/// test cases of them.

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/points.hpp"
#include "homolog/core/random_stream.hpp"

namespace homolog::inline v0_1::testing {

/// One law, and the result of its check.
struct Law {
  std::string name;    ///< a sentence: "moving the map moves the answer"
  std::string broken;  ///< what violates it; empty when it holds
  /// True when nothing violates the law.
  bool holds() const { return broken.empty(); }
};

/// The violated laws, one per line: "self-match is identity: query (2, 3) was answered with (0,
/// 0)". Empty when all hold, so that any test framework needs one comparison.
inline std::string broken_laws(const std::vector<Law>& laws) {
  std::string lines;
  for (const Law& law : laws) {
    if (!law.holds()) lines += law.name + ": " + law.broken + "\n";
  }
  return lines;
}

namespace detail {

using homolog::detail::text;

/// Adds a law. `check` returns what violates it, or nothing; an exception violates it too.
template <class Check>
void add_law(std::vector<Law>& laws, std::string name, const Check& check) {
  std::string broken;
  try {
    broken = check();
  } catch (const std::exception& error) {
    broken = std::string("it threw: ") + error.what();
  }
  laws.push_back({std::move(name), std::move(broken)});
}

template <class Frame>
std::string point_text(Point<Frame> point) {
  return text("(", point.x, ", ", point.y, ")");
}

/// Values uniform in [low, high]; equal bounds may be infinite.
inline float uniform(RandomStream& random, float low, float high) {
  if (low == high) return low;
  return low + (high - low) * static_cast<float>(random.bits() >> 40) * 0x1p-24F;
}

inline FloatMatrix random_matrix(int rows, int cols, unsigned seed, float low, float high) {
  RandomStream random(seed);
  FloatMatrix matrix(rows, cols);
  for (Eigen::Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = uniform(random, low, high);
  return matrix;
}

inline SimilarityMap view(const FloatMatrix& map) { return {map.data(), map.rows(), map.cols()}; }

}  // namespace detail
}  // namespace homolog::inline v0_1::testing
