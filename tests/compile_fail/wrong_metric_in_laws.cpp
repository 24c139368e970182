// SPDX-License-Identifier: Apache-2.0
// A metric that prints instead of returning, held to the laws of metrics.
#include "homolog/testing/metric_laws.hpp"

struct WrongMetric {
  void operator()(std::span<const homolog::PairErrors>, double) const {}
};

int main() { homolog::testing::check_metric_laws(WrongMetric{}); }
