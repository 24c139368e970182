// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Dynamic loss scaling for float16, whose gradients underflow: Micikevicius et al., "Mixed
/// Precision Training", 2018. Steps whose gradients overflow are skipped and counted.

#include <cstdint>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

/// The scale of the loss and the rule that changes it. It is a plain value: a copy holds its whole
/// state.
struct GradScaler {
  bool enabled = false;                     ///< off: the scale is 1 and every finite step is taken
  double scale = 65536;                     ///< the loss is multiplied by it
  double growth = 2;                        ///< after `growth_interval` steps without overflow
  double backoff = 0.5;                     ///< after a step with overflow
  std::int64_t growth_interval = 2000;      ///< [steps]
  std::int64_t steps_without_overflow = 0;  ///< since the scale last changed
  std::int64_t skipped = 0;                 ///< steps lost to overflow so far

  /// Factor of the loss before the backward pass; gradients are divided by it.
  double factor() const { return enabled ? scale : 1.0; }

  /// Notes whether the gradients of a step were finite.
  ///
  /// @return true when the step is to be taken
  bool update(bool finite) {
    if (!enabled) return finite;
    if (!finite) {
      scale *= backoff;
      steps_without_overflow = 0;
      ++skipped;
      return false;
    }
    if (++steps_without_overflow >= growth_interval) {
      scale *= growth;
      steps_without_overflow = 0;
    }
    return true;
  }
  /// Equal when all members are.
  friend bool operator==(const GradScaler&, const GradScaler&) = default;
};

}  // namespace homolog::inline v0_1
