// SPDX-License-Identifier: Apache-2.0
#include "homolog/core/worker_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

using homolog::WorkerPool;

TEST_CASE("every task runs once, on slots below the number of threads") {
  WorkerPool pool;
  for (const int threads : {1, 2, 3, 7}) {
    for (const std::size_t count : {0U, 1U, 2U, 5U, 100U}) {
      for (int repeat = 0; repeat < 20; ++repeat) {
        std::vector<std::atomic<int>> runs(count);
        std::vector<std::atomic<int>> in_slot(8);
        std::atomic<bool> alone{true}, inside{true};
        pool.run(threads, count, [&](std::size_t i, std::size_t slot) {
          if (slot >= static_cast<std::size_t>(threads)) inside = false;
          if (++in_slot[slot] != 1) alone = false;
          ++runs[i];
          --in_slot[slot];
        });
        bool once = true;
        for (const auto& number : runs) once = once && number == 1;
        CHECK(once);
        CHECK(alone);
        CHECK(inside);
      }
    }
  }
}

TEST_CASE("an exception of a task reaches the caller, and the pool goes on") {
  WorkerPool pool;
  for (int repeat = 0; repeat < 50; ++repeat) {
    CHECK_THROWS_WITH_AS(pool.run(3, 20,
                                  [](std::size_t i, std::size_t) {
                                    if (i == 7) throw std::runtime_error("seven");
                                  }),
                         "seven", std::runtime_error);
    std::atomic<int> done{0};
    pool.run(3, 20, [&](std::size_t, std::size_t) { ++done; });
    CHECK(done == 20);
  }
}

TEST_CASE("callers from several threads get all their answers") {
  WorkerPool pool;
  std::atomic<int> done{0};
  std::vector<std::thread> callers;
  for (int k = 0; k < 4; ++k) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        pool.run(3, 10, [&](std::size_t, std::size_t) { ++done; });
      }
    });
  }
  for (auto& caller : callers) caller.join();
  CHECK(done == 4 * 50 * 10);
}

TEST_CASE("a caller does not wait for another one's work") {
  WorkerPool pool;
  std::atomic<bool> begun{false}, end{false};
  std::thread slow([&] {
    pool.run(2, 2, [&](std::size_t, std::size_t) {
      begun = true;
      while (!end) std::this_thread::yield();
    });
  });
  while (!begun) std::this_thread::yield();
  std::atomic<int> done{0};
  for (int repeat = 0; repeat < 20; ++repeat) {
    pool.run(2, 10, [&](std::size_t, std::size_t) { ++done; });  // would hang
  }
  CHECK(done == 200);
  end = true;
  slow.join();
}

TEST_CASE("the threads of a pool help each caller that wants them") {
  WorkerPool pool;
  std::atomic<int> inside{0}, most{0};
  std::vector<std::thread> callers;
  for (int k = 0; k < 2; ++k) {
    callers.emplace_back([&] {
      // Each of the four tasks ends when all four are under way: two callers with a helper each.
      pool.run(3, 2, [&](std::size_t, std::size_t) {
        const int now = ++inside;
        int before = most;
        while (before < now && !most.compare_exchange_weak(before, now)) {
        }
        while (most < 4) std::this_thread::yield();
        --inside;
      });
    });
  }
  // A third caller makes room for a second helper.
  pool.run(3, 3, [](std::size_t, std::size_t) {});
  for (auto& caller : callers) caller.join();
  CHECK(most == 4);
}
