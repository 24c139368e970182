// SPDX-License-Identifier: Apache-2.0
// A metric of one pair.
#include "homolog/core/concepts.hpp"

struct WrongMetric {
  double operator()(const homolog::PairErrors& pair, double alpha) const {
    return pair.distances.front() <= alpha * pair.threshold_scale ? 1 : 0;
  }
};

int main() { homolog::require_metric<WrongMetric>(); }
