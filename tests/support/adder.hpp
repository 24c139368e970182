// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "homolog/core/shard.hpp"

namespace homolog::test {

// Threads that add their values up, and show them to each other: what processes do through a
// network.
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
  std::vector<std::string> gather(int index, const std::string& own) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      given[index] = own;
    }
    barrier.arrive_and_wait();
    std::vector<std::string> all;
    for (const auto& [process, bytes] : given) all.push_back(bytes);
    barrier.arrive_and_wait();
    return all;
  }
  Shard shard(int index, int count) {
    return {index, count, [this, index](const std::string& own) { return gather(index, own); }};
  }
  std::barrier<> barrier;
  std::map<int, std::string> given;
  std::mutex mutex;
  std::vector<double> total;
};

}  // namespace homolog::test
