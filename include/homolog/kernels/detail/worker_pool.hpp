// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Threads that wait for work, so that a kernel of a tenth of a millisecond can be shared. Waking a
/// sleeping thread may take longer than that, so threads look for work for a moment before they
/// sleep.

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <ctime>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <vector>

#include "homolog/core/errors.hpp"

// POSIX's threads, conditions and clock: <thread>, <condition_variable> and <chrono> would take a
// seventh of the time of <Eigen/Core>.

namespace homolog::inline v0_1::detail {

/// Of a clock that nobody sets.
inline double seconds_now() {
  std::timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Waits in a loop until a condition holds, at most some ten microseconds.
template <class Condition>
void look_for(const Condition& condition) {
  const double end = seconds_now() + 50e-6;
  while (!condition()) {
    for (int i = 0; i < 32; ++i) {
      if (condition()) return;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    if (seconds_now() > end) return;
  }
}

/// What threads wait for under a mutex.
struct PoolEvent {
  pthread_cond_t handle = PTHREAD_COND_INITIALIZER;

  void notify_one() { pthread_cond_signal(&handle); }
  void notify_all() { pthread_cond_broadcast(&handle); }

  template <class Condition>
  void wait(std::unique_lock<std::mutex>& lock, const Condition& condition) {
    while (!condition()) pthread_cond_wait(&handle, lock.mutex()->native_handle());
  }
};

/// Runs tasks 0 .. count-1 on the calling thread and on threads that stay for the next call.
class WorkerPool {
 public:
  WorkerPool() = default;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() { stop(); }

  /// Calls task(i, slot) for each i < count. Calls at the same time have different slots, which are
  /// below `threads`.
  ///
  /// Returns when all tasks are done; the first exception of any is thrown here. One caller at a
  /// time, others wait; a call from within a task runs on its thread alone.
  ///
  /// @throws DeviceError when a thread cannot be started; Error in a child process that was forked
  /// by a task and returns from it
  template <class Task>
  void run(int threads, std::size_t count, const Task& task) {
    run(threads, count, &task, [](const void* what, std::size_t i, std::size_t slot) {
      (*static_cast<const Task*>(what))(i, slot);
    });
  }

  /// Ends the threads, which finish their tasks first. Later calls run on the calling thread alone.
  void stop() {
    std::vector<pthread_t> workers;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
      workers.swap(workers_);
    }
    wake_.notify_all();
    for (const pthread_t worker : workers) {
      // A task may have ended the process, and a thread cannot wait for itself.
      if (pthread_equal(worker, pthread_self())) {
        pthread_detach(worker);
      } else {
        pthread_join(worker, nullptr);
      }
    }
  }

  /// In a child process after fork(): makes the pool anew. The threads do not exist there, and
  /// whatever they and their callers had locked or half written stays as it was. Nothing of it is
  /// freed, because a vector that was growing cannot be.
  void forget_threads() {
    const bool stopped = stop_;
    const unsigned forks = forks_ + 1;
    std::construct_at(this);
    stop_ = stopped;
    forks_ = forks;
  }

 private:
  using Call = void (*)(const void* task, std::size_t i, std::size_t slot);

  void run(int threads, std::size_t count, const void* task, Call call) {
    const std::size_t helpers =
        (std::min)(count, static_cast<std::size_t>((std::max)(threads, 1))) - 1;
    if (helpers == 0 || count < 2 || in_task()) {
      for (std::size_t i = 0; i < count; ++i) call(task, i, 0);
      return;
    }
    std::unique_lock<std::mutex> one_caller(caller_);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      while (!stop_ && workers_.size() < helpers) add_worker();
      call_ = call;
      task_ = task;
      count_ = count;
      next_ = 0;
      wanted_ = helpers;
      error_ = nullptr;
      ++round_;
    }
    wake_.notify_all();
    if (!take_tasks(0)) one_caller.release();  // a child's own mutex, which nobody locked
    std::unique_lock<std::mutex> lock(mutex_);
    wanted_ = 0;  // who has not begun need not
    if (busy_ > 0) {
      lock.unlock();
      look_for([this] { return busy_ == 0; });
      lock.lock();
    }
    done_.wait(lock, [this] { return busy_ == 0; });
    if (error_) std::rethrow_exception(error_);
  }

  /// @throws DeviceError when the system has no thread left
  void add_worker() {
    workers_.reserve(workers_.size() + 1);
    const auto begin = [](void* pool) noexcept -> void* {
      static_cast<WorkerPool*>(pool)->work();
      return nullptr;
    };
    pthread_t worker{};
    if (const int code = pthread_create(&worker, nullptr, begin, this); code != 0) {
      throw DeviceError(text("worker pool: thread ", workers_.size() + 2, " cannot be started: ",
                             std::generic_category().message(code), "; set fewer threads"));
    }
    workers_.push_back(worker);
  }

  void work() {
    std::size_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      lock.unlock();
      look_for([&] { return round_ != seen || stop_; });
      lock.lock();
      wake_.wait(lock, [&] { return stop_ || (round_ != seen && wanted_ > 0); });
      if (stop_) return;
      seen = round_;
      const std::size_t slot = wanted_--;
      ++busy_;
      lock.unlock();
      const bool same_process = take_tasks(slot);
      lock.lock();
      // This thread is the only one of such a child: there is no caller to get the error.
      if (!same_process) std::rethrow_exception(error_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  static bool& in_task() {
    thread_local bool inside = false;
    return inside;
  }

  /// Runs tasks until none is left. False in a child process that was forked by one of them.
  bool take_tasks(std::size_t slot) {
    const unsigned forks = forks_;
    in_task() = true;
    try {
      for (std::size_t i = next_++; i < count_; i = next_++) call_(task_, i, slot);
      if (forks_ != forks) {
        throw Error(
            "a matcher forked the process, and the child returned from the matcher: the other "
            "threads' answers do not exist there; end such a child with _exit or exec");
      }
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!error_) error_ = std::current_exception();
      next_ = count_;
    }
    in_task() = false;
    return forks_ == forks;
  }

  std::mutex caller_, mutex_;
  PoolEvent wake_, done_;
  std::vector<pthread_t> workers_;
  Call call_ = nullptr;
  const void* task_ = nullptr;
  std::size_t count_ = 0, wanted_ = 0;
  std::atomic<std::size_t> next_{0}, busy_{0}, round_{0};
  std::exception_ptr error_;
  std::atomic<bool> stop_{false};
  unsigned forks_ = 0;  // between the process that made the pool and this one
};

/// The pool that all kernels of the process share.
///
/// Its threads end with the process, or when the shared library that holds it is unloaded. The pool
/// itself is never destroyed, because other threads, and destructors of static objects, may match
/// while the process ends. A forked child starts with a pool without threads.
inline WorkerPool& worker_pool() {
  struct Shared {
    Shared() { std::construct_at(&pool); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    ~Shared() { pool.stop(); }
    union {
      WorkerPool pool;
    };
  };
  static Shared shared;
  // The handler belongs to the library that registers it, and goes when that is unloaded.
  static const int registered =
      pthread_atfork(nullptr, nullptr, [] { shared.pool.forget_threads(); });
  if (registered != 0) throw std::bad_alloc();
  return shared.pool;
}

}  // namespace homolog::inline v0_1::detail
