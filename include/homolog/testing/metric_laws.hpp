// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The laws of metrics.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/metric_concept.hpp"
#include "homolog/testing/laws.hpp"

namespace homolog::inline v0_1::testing {

namespace detail {

/// Pairs of 1 to 9 keypoints with errors up to `largest` of each pair's threshold length.
inline std::vector<PairErrors> random_errors(unsigned seed, float largest) {
  RandomStream random(seed);
  std::vector<PairErrors> pairs(7);
  for (PairErrors& pair : pairs) {
    pair.threshold_scale = static_cast<double>(uniform(random, 20, 300));
    pair.distances.resize(1 + (random.bits() >> 32) % 9);
    for (double& distance : pair.distances) {
      distance = static_cast<double>(uniform(random, 0, largest)) * pair.threshold_scale;
    }
  }
  return pairs;
}

inline std::vector<PairErrors> with_distance(std::vector<PairErrors> pairs, double distance) {
  for (PairErrors& pair : pairs) std::fill(pair.distances.begin(), pair.distances.end(), distance);
  return pairs;
}

}  // namespace detail

/// Checks a metric against the laws that every metric keeps: bounds, monotonicity in alpha and in
/// the errors, independence of the unit of length and of the order, and an error when there is
/// nothing to average.
///
/// @param metric any Metric policy, with its setting
/// @return every law, see Law::broken; throws nothing of its own
template <class M>
// NOLINTNEXTLINE(readability-function-size): a list of laws, one behind the other
std::vector<Law> check_metric_laws(const M& metric) {
  require_metric<M>();
  std::vector<Law> laws;
  if constexpr (Metric<M>) {
    using detail::add_law;
    using detail::text;
    const auto value = [&metric](const std::vector<PairErrors>& pairs, double alpha) {
      return static_cast<double>(metric(std::span<const PairErrors>(pairs), alpha));
    };
    constexpr unsigned seeds = 20;
    constexpr double alphas[] = {0.01, 0.05, 0.1, 0.2, 0.5, 1};

    add_law(laws, "a value lies in [0, 1]", [&]() -> std::string {
      for (unsigned seed = 0; seed < seeds; ++seed) {
        for (const double alpha : alphas) {
          const double got = value(detail::random_errors(seed, 1), alpha);
          if (!(got >= 0 && got <= 1)) return text(got, " at alpha ", alpha);
        }
      }
      return {};
    });
    add_law(laws, "errors of 0 px give 1", [&]() -> std::string {
      const double got = value(detail::with_distance(detail::random_errors(1, 1), 0), 0.1);
      return got == 1 ? std::string() : text("they gave ", got);
    });
    add_law(laws, "errors beyond every threshold give 0", [&]() -> std::string {
      const auto distant = detail::with_distance(detail::random_errors(1, 1), 1e9);
      const double got = value(distant, 0.1);
      return got == 0 ? std::string() : text("errors of 1e9 px gave ", got);
    });
    add_law(laws, "a prediction that is NaN is never correct", [&]() -> std::string {
      const auto lost = detail::with_distance(detail::random_errors(1, 1),
                                              std::numeric_limits<double>::quiet_NaN());
      const double got = value(lost, 0.1);
      return got == 0 ? std::string() : text("errors of NaN gave ", got);
    });
    add_law(laws, "a prediction that is NaN counts like one beyond every threshold",
            [&]() -> std::string {
              for (unsigned seed = 0; seed < seeds; ++seed) {
                auto pairs = detail::random_errors(seed, 0.4F);
                double& distance = pairs[seed % pairs.size()].distances.back();
                distance = 1e9;
                const double expected = value(pairs, 0.1);
                distance = std::numeric_limits<double>::quiet_NaN();
                const double got = value(pairs, 0.1);
                if (got != expected) return text(got, ", an error of 1e9 px gave ", expected);
              }
              return {};
            });
    add_law(laws, "a larger alpha never lowers the value", [&]() -> std::string {
      for (unsigned seed = 0; seed < seeds; ++seed) {
        const auto pairs = detail::random_errors(seed, 1);
        double before = 0;
        for (const double alpha : alphas) {
          const double got = value(pairs, alpha);
          if (got < before)
            return text(got, " at alpha ", alpha, ", ", before, " at the one below");
          before = got;
        }
      }
      return {};
    });
    add_law(laws, "a smaller error never lowers the value", [&]() -> std::string {
      for (unsigned seed = 0; seed < seeds; ++seed) {
        auto pairs = detail::random_errors(seed, 0.4F);
        const double before = value(pairs, 0.1);
        double& distance = pairs[seed % pairs.size()].distances.front();
        distance *= 0.3;
        const double got = value(pairs, 0.1);
        if (got < before) return text("it fell from ", before, " to ", got);
      }
      return {};
    });
    add_law(laws, "the unit of length cancels, in each pair for itself", [&]() -> std::string {
      for (unsigned seed = 0; seed < seeds; ++seed) {
        const auto pairs = detail::random_errors(seed, 0.4F);
        auto scaled = pairs;
        double factor = 4;  // powers of two: every comparison stays the same
        for (PairErrors& pair : scaled) {
          pair.threshold_scale *= factor;
          for (double& distance : pair.distances) distance *= factor;
          factor *= 2;
        }
        const double got = value(scaled, 0.1), expected = value(pairs, 0.1);
        if (got != expected) {
          return text(got, " after all lengths grew, those of each pair alike, was ", expected);
        }
      }
      return {};
    });
    add_law(laws, "the order of pairs and of their keypoints does not count", [&]() -> std::string {
      for (unsigned seed = 0; seed < seeds; ++seed) {
        auto pairs = detail::random_errors(seed, 0.4F);
        const double expected = value(pairs, 0.1);
        std::reverse(pairs.begin(), pairs.end());
        for (PairErrors& pair : pairs) {
          std::reverse(pair.distances.begin(), pair.distances.end());
        }
        const double got = value(pairs, 0.1);
        if (!(std::abs(got - expected) < 1e-12)) return text(got, " reversed, was ", expected);
      }
      return {};
    });
    add_law(laws, "the same errors give the same value", [&]() -> std::string {
      const auto pairs = detail::random_errors(3, 0.4F);
      const double first = value(pairs, 0.1), second = value(pairs, 0.1);
      return first == second ? std::string() : text(first, ", then ", second);
    });
    add_law(laws, "nothing to average is a homolog::Error", [&]() -> std::string {
      try {
        return text("it gave ", value({}, 0.1));
      } catch (const Error&) {
        return {};
      }
    });
  }
  return laws;
}

}  // namespace homolog::inline v0_1::testing
