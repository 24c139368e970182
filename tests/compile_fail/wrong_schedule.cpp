// SPDX-License-Identifier: Apache-2.0
// A schedule that takes no step.
#include "homolog/train/training.hpp"

struct NoStep {
  double operator()() const { return 1; }
};

int main() {
  homolog::Training<homolog::UnfreezeLast, homolog::CoordinateMse<>, NoStep> training;
  return training.setting.epochs;
}
