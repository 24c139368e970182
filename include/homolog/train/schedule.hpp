// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The learning rate of each step: a pure function of the step, so a resumed run needs no state.

#include <cmath>
#include <concepts>
#include <cstdint>
#include <numbers>
#include <string_view>
#include <tuple>

#include "homolog/core/errors.hpp"
#include "homolog/core/field.hpp"

namespace homolog::inline v0_1 {

/// Schedule, minimum:
/// @code
/// struct MySchedule {
///   double operator()(std::int64_t step, std::int64_t total_steps) const;
/// };
/// @endcode
/// Returns the factor of the learning rate in a step, which is counted from 0.
template <class S>
concept LearningRateSchedule = requires(const S& schedule, std::int64_t step) {
  { schedule(step, step) } -> std::convertible_to<double>;
};

namespace detail {

/// The linear rise over the first steps (1/w, 2/w, ... 1); 1 behind it.
///
/// @throws SettingError for a negative number of steps, or a warm-up longer than the training
inline double warmup_factor(std::int64_t step, std::int64_t warmup_steps,
                            std::int64_t total_steps) {
  if (step < 0 || warmup_steps < 0 || total_steps < 1 || warmup_steps > total_steps) {
    throw SettingError(text("schedule: step ", step, " with ", warmup_steps, " warm-up steps of ",
                            total_steps, " in total"));
  }
  return step < warmup_steps ? static_cast<double>(step + 1) / static_cast<double>(warmup_steps)
                             : 1.0;
}

}  // namespace detail

/// How a schedule begins.
struct WarmupSetting {
  std::int64_t warmup_steps = 0;  ///< steps in which the learning rate rises linearly

  /// The fields, for checks, JSON, options and tables.
  static constexpr auto fields() {
    return std::tuple(Field{"warmup_steps", &WarmupSetting::warmup_steps,
                            "steps in which the learning rate rises linearly",
                            Allowed::not_negative});
  }
};

/// The learning rate stays at its value behind a linear warm-up.
struct ConstantRate {
  /// What from_name() calls it.
  static constexpr std::string_view name = "constant";
  using Setting = WarmupSetting;  ///< what a user may change
  Setting setting;                ///< read at every call, which checks it

  /// @param step 0-based
  /// @throws SettingError for a warm-up that is negative or longer than the training
  double operator()(std::int64_t step, std::int64_t total_steps) const {
    return detail::warmup_factor(step, setting.warmup_steps, total_steps);
  }
};

/// Behind a linear warm-up the learning rate falls along half a cosine, which would reach zero in
/// the step behind the last.
struct CosineRate {
  /// What from_name() calls it.
  static constexpr std::string_view name = "cosine";
  using Setting = WarmupSetting;  ///< what a user may change
  Setting setting;                ///< read at every call, which checks it

  /// @param step 0-based
  /// @throws SettingError for a warm-up that is negative or longer than the training
  double operator()(std::int64_t step, std::int64_t total_steps) const {
    const double rise = detail::warmup_factor(step, setting.warmup_steps, total_steps);
    if (step < setting.warmup_steps) return rise;
    if (step >= total_steps) return 0;
    const double done = static_cast<double>(step - setting.warmup_steps) /
                        static_cast<double>(total_steps - setting.warmup_steps);
    return 0.5 * (1 + std::cos(std::numbers::pi * done));
  }
};

}  // namespace homolog::inline v0_1
