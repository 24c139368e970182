// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

namespace homolog::test {

// Threads that add their values up: what processes do through a network.
struct Adder {
  explicit Adder(int count) : barrier(count) {}
  void sum(std::span<double> values) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      total.resize(values.size());
      for (std::size_t i = 0; i < values.size(); ++i) total[i] += values[i];
    }
    barrier.arrive_and_wait();
    std::copy(total.begin(), total.end(), values.begin());
    barrier.arrive_and_wait();
    {
      const std::lock_guard<std::mutex> lock(mutex);
      total.clear();
    }
    barrier.arrive_and_wait();
  }
  std::barrier<> barrier;
  std::mutex mutex;
  std::vector<double> total;
};

}  // namespace homolog::test
