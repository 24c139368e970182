// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <pthread.h>

#include <atomic>
#include <cstddef>

#include "homolog/core/errors.hpp"
#include "homolog/core/worker_pool.hpp"

using namespace homolog;

TEST_CASE(
    "where the system gives no more threads, the error is homolog's and the pool stays usable") {
  homolog::WorkerPool pool;
  std::atomic<int> done{0};
  const auto task = [&](std::size_t, std::size_t) { ++done; };
  pthread_attr_t usual, huge;
  REQUIRE(pthread_getattr_default_np(&usual) == 0);
  REQUIRE(pthread_getattr_default_np(&huge) == 0);
  pthread_attr_setstacksize(&huge, std::size_t{1} << 47);  // no address space holds such a stack
  REQUIRE(pthread_setattr_default_np(&huge) == 0);
  CHECK_THROWS_WITH_AS(pool.run(3, 8, task), doctest::Contains("cannot be started"), DeviceError);
  CHECK(done == 0);
  pool.run(1, 8, task);
  CHECK(done == 8);
  REQUIRE(pthread_setattr_default_np(&usual) == 0);
  pool.run(3, 8, task);
  CHECK(done == 16);
  pthread_attr_destroy(&usual);
  pthread_attr_destroy(&huge);
}
