// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Argmax over the pixels of a target map that is upsampled linearly.

#include <string_view>
#include <tuple>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/execution.hpp"
#include "homolog/core/feature_map.hpp"
#include "homolog/core/field.hpp"
#include "homolog/core/matcher_concept.hpp"
#include "homolog/kernels/target_made.hpp"
#include "homolog/kernels/upsampled_peak.hpp"

namespace homolog::inline v0_1 {

/// Answers with the most similar pixel of the target's features, upsampled bilinearly and
/// normalised again, as DIFT's evaluation does; no feature is upsampled, see
/// find_upsampled_peaks().
struct UpsampledArgmax {
  /// The name that from_name() takes for this matcher.
  static constexpr std::string_view name = "upsampled-argmax";
  /// What a user may change: how finely the target is upsampled.
  struct Setting {
    int factor = 14;  ///< [px] a cell becomes factor x factor pixels

    /// The fields, for checks, JSON, options and tables.
    static constexpr auto fields() {
      return std::tuple(Field{"factor", &Setting::factor,
                              "a cell of the target becomes factor x factor pixels",
                              Allowed::positive});
    }
  };
  Setting setting;  ///< as default-constructed unless changed

  /// @return [N] cells of the target grid, at pixel centres
  /// @throws SettingError for a factor below 1, or one that makes over 2^31 pixels; what
  /// find_upsampled_peaks() throws
  std::vector<Match> match(const MatchProblem& problem, const Execution& execution = {}) const {
    require_fields(setting, "UpsampledArgmax");
    const FeatureMap& target = problem.target;
    if (static_cast<double>(target.cells()) * setting.factor * setting.factor > 0x1p31) {
      throw SettingError(detail::text("UpsampledArgmax: factor is ", setting.factor, ", on ",
                                      target.rows, "x", target.cols,
                                      " cells expected less than 2^31 px"));
    }
    const Size size{target.cols * setting.factor, target.rows * setting.factor};
    TargetMade own;
    TargetMade& made = problem.made != nullptr ? *problem.made : own;
    if (!made.norms || made.norms->size != size) {
      made.norms = upsampled_norms(target, size, execution);
    }
    std::vector<Match> matches;
    for (const PixelPeak& peak :
         find_upsampled_peaks(problem.descriptors, target, *made.norms, execution)) {
      matches.push_back(
          {{(peak.x + 0.5) / setting.factor - 0.5, (peak.y + 0.5) / setting.factor - 0.5},
           peak.value});
    }
    return matches;
  }
};

}  // namespace homolog::inline v0_1
