// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The learning rate of each step: a pure function of the step, so a resumed run needs no state.

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <string_view>

#include "homolog/core/errors.hpp"

namespace homolog::inline v0_1 {

/// How the learning rate runs after the warm-up.
enum class Schedule {
  constant,  ///< stays at its value
  cosine     ///< falls to zero along half a cosine
};

/// The name of a schedule: `constant` or `cosine`.
inline std::string_view schedule_name(Schedule schedule) {
  return schedule == Schedule::cosine ? "cosine" : "constant";
}

/// Factor of the learning rate in a step: a linear rise over the first `warmup_steps` (1/w, 2/w,
/// ... 1), then the schedule; cosine would reach zero at step `total_steps`.
///
/// @param step 0-based
/// @throws SettingError for a negative number of steps, or a warm-up longer than the training
inline double schedule_factor(Schedule schedule, std::int64_t step, std::int64_t warmup_steps,
                              std::int64_t total_steps) {
  if (step < 0 || warmup_steps < 0 || total_steps < 1 || warmup_steps > total_steps) {
    throw SettingError(detail::text("schedule: step ", step, " with ", warmup_steps,
                                    " warm-up steps of ", total_steps, " in total"));
  }
  if (step < warmup_steps) {
    return static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  }
  if (schedule == Schedule::constant || step >= total_steps) {
    return schedule == Schedule::constant ? 1.0 : 0.0;
  }
  const double done =
      static_cast<double>(step - warmup_steps) / static_cast<double>(total_steps - warmup_steps);
  return 0.5 * (1 + std::cos(std::numbers::pi * done));
}

}  // namespace homolog::inline v0_1
