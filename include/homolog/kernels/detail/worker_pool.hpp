// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Threads that wait for work, so that a kernel of a tenth of a millisecond can be shared. Waking a
/// sleeping thread may take longer than that, so threads look for work for a moment before they
/// sleep.

#include <algorithm>
#include <atomic>
#include <condition_variable>  // with std::chrono's clocks, which alone cost as much again
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1::detail {

/// Waits in a loop until a condition holds, at most some ten microseconds.
template <class Condition>
void look_for(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
  while (!condition()) {
    for (int i = 0; i < 32; ++i) {
      if (condition()) return;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    if (std::chrono::steady_clock::now() > end) return;
  }
}

/// Runs tasks 0 .. count-1 on the calling thread and on threads that stay for the next call.
class WorkerPool {
 public:
  WorkerPool() = default;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  /// Calls task(i, slot) for each i < count. Calls at the same time have different slots, which are
  /// below `threads`.
  ///
  /// Returns when all tasks are done; the first exception of any is thrown here. One caller at a
  /// time, others wait; a call from within a task runs on its thread alone.
  template <class Task>
  void run(int threads, std::size_t count, const Task& task) {
    run(threads, count, &task, [](const void* what, std::size_t i, std::size_t slot) {
      (*static_cast<const Task*>(what))(i, slot);
    });
  }

 private:
  using Call = void (*)(const void* task, std::size_t i, std::size_t slot);

  void run(int threads, std::size_t count, const void* task, Call call) {
    const std::size_t helpers = std::min(count, static_cast<std::size_t>(std::max(threads, 1))) - 1;
    if (helpers == 0 || count < 2 || in_task()) {
      for (std::size_t i = 0; i < count; ++i) call(task, i, 0);
      return;
    }
    const std::lock_guard<std::mutex> one_caller(caller_);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      while (workers_.size() < helpers) workers_.emplace_back([this] { work(); });
      call_ = call;
      task_ = task;
      count_ = count;
      next_ = 0;
      wanted_ = helpers;
      error_ = nullptr;
      ++round_;
    }
    wake_.notify_all();
    take_tasks(0);
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
      take_tasks(slot);
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  static bool& in_task() {
    thread_local bool inside = false;
    return inside;
  }

  void take_tasks(std::size_t slot) {
    in_task() = true;
    try {
      for (std::size_t i = next_++; i < count_; i = next_++) call_(task_, i, slot);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!error_) error_ = std::current_exception();
      next_ = count_;
    }
    in_task() = false;
  }

  std::mutex caller_, mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_;
  Call call_ = nullptr;
  const void* task_ = nullptr;
  std::size_t count_ = 0, wanted_ = 0;
  std::atomic<std::size_t> next_{0}, busy_{0}, round_{0};
  std::exception_ptr error_;
  std::atomic<bool> stop_{false};
};

/// The pool that all kernels of the process share.
inline WorkerPool& worker_pool() {
  static WorkerPool pool;
  return pool;
}

}  // namespace homolog::inline v0_1::detail
