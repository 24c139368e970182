// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A mutex of POSIX: <mutex> would take a tenth of the time of <Eigen/Core>, in each source that
/// matches anything.

#include <pthread.h>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1::detail {

/// Nothing has to be freed at its end, so a forked child may make one anew where it lies.
struct Mutex {
  Mutex() { pthread_mutex_init(&handle, nullptr); }
  pthread_mutex_t handle;
};

/// Holds a mutex until its block ends, but for what lies between unlock() and lock().
struct Lock {
  explicit Lock(Mutex& mutex_) : mutex(mutex_) { lock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (held) unlock();
  }
  void lock() {
    pthread_mutex_lock(&mutex.handle);
    held = true;
  }
  void unlock() {
    held = false;
    pthread_mutex_unlock(&mutex.handle);
  }

  Mutex& mutex;
  bool held = false;
};

}  // namespace homolog::inline v0_1::detail
